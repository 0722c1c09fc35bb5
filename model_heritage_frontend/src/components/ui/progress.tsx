import { Progress as ProgressPrimitive } from 'radix-ui'

import { cn } from '@/lib/cn'

interface ProgressProps {
  /** 0 to 1; null while the amount of work is unknown. */
  value: number | null
  label: string
  className?: string
}

export function Progress({ value, label, className }: ProgressProps) {
  const share = value === null ? null : Math.min(1, Math.max(0, value))
  return (
    <ProgressPrimitive.Root
      value={share === null ? null : Math.round(share * 100)}
      aria-label={label}
      className={cn(
        'bg-foreground/10 relative h-1.5 w-full overflow-hidden rounded-full',
        className,
      )}
    >
      <ProgressPrimitive.Indicator
        className={cn(
          'bg-primary h-full rounded-full',
          share === null ? 'animate-slide w-1/3' : 'transition-[width] duration-200',
        )}
        style={share === null ? undefined : { width: `${share * 100}%` }}
      />
    </ProgressPrimitive.Root>
  )
}

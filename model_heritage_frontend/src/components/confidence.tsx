import { cn } from '@/lib/cn'
import { formatPercent } from '@/lib/format'
import { UNRESOLVED_BELOW } from '@/lib/relations'
import { commonWords } from '@/strings/common'

const words = commonWords.confidence

interface ConfidenceProps {
  value: number
  className?: string
}

/** A confidence in [0, 1] as a short bar and a percentage; low ones lose the accent colour. */
export function Confidence({ value, className }: ConfidenceProps) {
  return (
    <span
      title={words.howLikelyThisIs}
      className={cn('inline-flex items-center gap-2 text-sm tabular-nums', className)}
    >
      <span aria-hidden className="bg-foreground/10 h-1.5 w-12 overflow-hidden rounded-full">
        <span
          className={cn(
            'block h-full rounded-full',
            value >= UNRESOLVED_BELOW ? 'bg-primary' : 'bg-warning',
          )}
          style={{ width: `${value * 100}%` }}
        />
      </span>
      <span className="sr-only">{words.confidence} </span>
      {formatPercent(value)}
    </span>
  )
}

import type { ComponentProps } from 'react'

import { cn } from '@/lib/cn'

const field =
  'border-input bg-card placeholder:text-muted-foreground w-full rounded-md border px-3 text-base shadow-xs transition-[border-color,box-shadow] sm:text-sm disabled:opacity-60 aria-invalid:border-destructive focus-visible:border-ring focus-visible:ring-ring/25 focus-visible:ring-3 focus-visible:outline-none'

export function Input({ className, type = 'text', ...props }: ComponentProps<'input'>) {
  return <input type={type} className={cn(field, 'h-9', className)} {...props} />
}

export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea className={cn(field, 'min-h-18 py-2', className)} {...props} />
}

/** The browser's own select: the best picker on a phone, and fully accessible. */
export function NativeSelect({ className, ...props }: ComponentProps<'select'>) {
  return (
    <select
      className={cn(
        field,
        'h-9 appearance-none bg-[image:var(--chevron)] bg-[length:0.9rem] bg-[right_0.65rem_center] bg-no-repeat pr-8 text-ellipsis',
        className,
      )}
      {...props}
    />
  )
}

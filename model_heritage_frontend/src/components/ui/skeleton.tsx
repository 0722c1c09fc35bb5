import type { ComponentProps } from 'react'

import { cn } from '@/lib/cn'

/** A grey stand-in while data loads; hidden from screen readers, which hear the live region. */
export function Skeleton({ className, ...props }: ComponentProps<'div'>) {
  return (
    <div
      aria-hidden
      className={cn('bg-foreground/[0.07] animate-pulse rounded-md', className)}
      {...props}
    />
  )
}

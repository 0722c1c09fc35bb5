import { useEffect, useRef, type ComponentProps } from 'react'

import { cn } from '@/lib/cn'

interface CheckboxProps extends Omit<ComponentProps<'input'>, 'type' | 'ref'> {
  /** Some, but not all, of what it stands for. */
  indeterminate?: boolean
}

/** The browser's own box, in our colour; its label gives fingers enough room. */
export function Checkbox({ indeterminate = false, className, ...props }: CheckboxProps) {
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (box.current) box.current.indeterminate = indeterminate
  }, [indeterminate])
  return (
    <label className="relative z-10 grid size-7 shrink-0 cursor-pointer place-items-center">
      <input
        ref={box}
        type="checkbox"
        className={cn('accent-primary size-4 cursor-pointer', className)}
        {...props}
      />
    </label>
  )
}

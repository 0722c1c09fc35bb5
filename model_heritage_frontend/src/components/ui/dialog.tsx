import { XIcon } from 'lucide-react'
import { Dialog as DialogPrimitive } from 'radix-ui'
import type { ComponentProps } from 'react'

import { cn } from '@/lib/cn'
import { commonWords } from '@/strings/common'

const words = commonWords.dialog

export const Dialog = DialogPrimitive.Root
export const DialogTrigger = DialogPrimitive.Trigger
export const DialogClose = DialogPrimitive.Close

const overlay = 'animate-fade fixed inset-0 z-50 bg-black/45'

interface DialogContentProps extends ComponentProps<typeof DialogPrimitive.Content> {
  /** `sheet` slides in at the right edge: used for the menu on phones. */
  side?: 'center' | 'sheet'
}

export function DialogContent({
  className,
  children,
  side = 'center',
  ...props
}: DialogContentProps) {
  return (
    <DialogPrimitive.Portal>
      <DialogPrimitive.Overlay className={overlay} />
      <DialogPrimitive.Content
        className={cn(
          'bg-popover text-popover-foreground fixed z-50 shadow-xl',
          side === 'center'
            ? 'animate-rise inset-x-4 top-[12vh] mx-auto max-h-[80vh] max-w-lg overflow-y-auto rounded-xl border p-6'
            : 'animate-fade inset-y-0 right-0 w-72 max-w-[85vw] overflow-y-auto border-l p-5',
          className,
        )}
        {...props}
      >
        {children}
        <DialogPrimitive.Close
          aria-label={words.close}
          className="text-muted-foreground hover:bg-muted hover:text-foreground absolute top-4 right-4 grid size-8 place-items-center rounded-md"
        >
          <XIcon className="size-4" aria-hidden />
        </DialogPrimitive.Close>
      </DialogPrimitive.Content>
    </DialogPrimitive.Portal>
  )
}

export function DialogTitle({ className, ...props }: ComponentProps<typeof DialogPrimitive.Title>) {
  return (
    <DialogPrimitive.Title className={cn('pr-8 text-lg font-semibold', className)} {...props} />
  )
}

export function DialogDescription({
  className,
  ...props
}: ComponentProps<typeof DialogPrimitive.Description>) {
  return (
    <DialogPrimitive.Description
      className={cn('text-muted-foreground mt-1.5 text-sm', className)}
      {...props}
    />
  )
}

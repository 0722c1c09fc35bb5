import { AlertDialog as AlertDialogPrimitive } from 'radix-ui'
import type { ReactNode } from 'react'

import { Button } from '@/components/ui/button'
import { commonWords } from '@/strings/common'

const words = commonWords.alertDialog

interface ConfirmDialogProps {
  trigger: ReactNode
  title: string
  description: ReactNode
  /** What else should be known before it is done. */
  children?: ReactNode
  action: string
  destructive?: boolean
  onConfirm: () => void
}

/** Asks before doing something that cannot be undone or takes long. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <AlertDialogPrimitive.Root>
      <AlertDialogPrimitive.Trigger asChild>{props.trigger}</AlertDialogPrimitive.Trigger>
      <AlertDialogPrimitive.Portal>
        <AlertDialogPrimitive.Overlay className="animate-fade fixed inset-0 z-50 bg-black/45" />
        <AlertDialogPrimitive.Content className="animate-rise bg-popover text-popover-foreground fixed inset-x-4 top-[14vh] z-50 mx-auto max-h-[78vh] max-w-md overflow-y-auto rounded-xl border p-6 shadow-xl">
          <AlertDialogPrimitive.Title className="text-lg font-semibold">
            {props.title}
          </AlertDialogPrimitive.Title>
          <AlertDialogPrimitive.Description className="text-muted-foreground mt-2 text-sm">
            {props.description}
          </AlertDialogPrimitive.Description>
          {props.children}
          <div className="mt-6 flex justify-end gap-2">
            <AlertDialogPrimitive.Cancel asChild>
              <Button variant="outline">{words.cancel}</Button>
            </AlertDialogPrimitive.Cancel>
            <AlertDialogPrimitive.Action asChild>
              <Button
                variant={props.destructive ? 'destructive' : 'default'}
                onClick={props.onConfirm}
              >
                {props.action}
              </Button>
            </AlertDialogPrimitive.Action>
          </div>
        </AlertDialogPrimitive.Content>
      </AlertDialogPrimitive.Portal>
    </AlertDialogPrimitive.Root>
  )
}

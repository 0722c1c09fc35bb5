import { Command as CommandPrimitive } from 'cmdk'
import { SearchIcon } from 'lucide-react'
import { Popover as PopoverPrimitive } from 'radix-ui'
import type { ComponentProps } from 'react'

import { cn } from '@/lib/cn'

export const Command = CommandPrimitive
export const CommandList = CommandPrimitive.List
export const CommandEmpty = CommandPrimitive.Empty
export const Popover = PopoverPrimitive.Root
export const PopoverTrigger = PopoverPrimitive.Trigger

export function PopoverContent({
  className,
  ...props
}: ComponentProps<typeof PopoverPrimitive.Content>) {
  return (
    <PopoverPrimitive.Portal>
      <PopoverPrimitive.Content
        sideOffset={6}
        align="start"
        className={cn(
          'animate-fade bg-popover text-popover-foreground z-50 w-(--radix-popover-trigger-width) min-w-64 rounded-lg border shadow-lg',
          className,
        )}
        {...props}
      />
    </PopoverPrimitive.Portal>
  )
}

export function CommandInput({
  className,
  ...props
}: ComponentProps<typeof CommandPrimitive.Input>) {
  return (
    <div className="flex items-center gap-2 border-b px-3">
      <SearchIcon className="text-muted-foreground size-4 shrink-0" aria-hidden />
      <CommandPrimitive.Input
        className={cn(
          'placeholder:text-muted-foreground h-10 w-full bg-transparent text-sm outline-none',
          className,
        )}
        {...props}
      />
    </div>
  )
}

export function CommandItem({ className, ...props }: ComponentProps<typeof CommandPrimitive.Item>) {
  return (
    <CommandPrimitive.Item
      className={cn(
        'data-[selected=true]:bg-muted flex cursor-default items-center gap-2 rounded-sm px-2.5 py-2 text-sm outline-none select-none',
        className,
      )}
      {...props}
    />
  )
}

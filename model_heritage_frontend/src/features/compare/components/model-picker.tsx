import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ChevronsUpDownIcon } from 'lucide-react'
import { useId, useState } from 'react'

import {
  Command,
  CommandInput,
  CommandItem,
  CommandList,
  Popover,
  PopoverContent,
  PopoverTrigger,
} from '@/components/ui/command'
import { modelQuery, modelsQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { formatCompact } from '@/lib/format'
import { compareWords } from '@/strings/compare'

interface ModelPickerProps {
  label: string
  value: string
  onChange: (id: string) => void
}

function Choices({ onPick }: { onPick: (id: string) => void }) {
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const models = useInfiniteQuery(modelsQuery({ search, limit: 30 }))
  const found = models.data?.pages.flatMap((page) => page.models) ?? []
  return (
    // The server searches; cmdk only moves the highlight.
    <Command shouldFilter={false} label={compareWords.picker.label}>
      <CommandInput
        placeholder={compareWords.picker.placeholder}
        value={text}
        onValueChange={setText}
      />
      <CommandList className="max-h-72 overflow-y-auto p-1">
        {models.isSuccess && found.length === 0 && (
          <p className="text-muted-foreground px-3 py-6 text-center text-sm">
            {compareWords.picker.none}
          </p>
        )}
        {models.isError && (
          <p className="text-destructive px-3 py-6 text-center text-sm">{models.error.message}</p>
        )}
        {found.map((model) => (
          <CommandItem key={model.id} value={model.id} onSelect={() => onPick(model.id)}>
            <span className="min-w-0 flex-1 truncate">{model.name}</span>
            <span className="text-muted-foreground text-xs tabular-nums">
              {formatCompact(model.total_parameters)}
            </span>
          </CommandItem>
        ))}
      </CommandList>
    </Command>
  )
}

function ChosenName({ id }: { id: string }) {
  const model = useQuery(modelQuery(id))
  return <>{model.data?.name ?? (model.isError ? compareWords.picker.unknown : '…')}</>
}

export function ModelPicker({ label, value, onChange }: ModelPickerProps) {
  const [open, setOpen] = useState(false)
  const labelId = useId()
  const valueId = useId()
  return (
    <div className="min-w-0 flex-1">
      <p id={labelId} className="text-muted-foreground mb-1.5 text-sm">
        {label}
      </p>
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger
          aria-labelledby={`${labelId} ${valueId}`}
          className="border-input bg-card hover:bg-muted flex h-11 w-full items-center justify-between gap-2 rounded-md border px-3.5 text-left shadow-xs"
        >
          <span id={valueId} className="min-w-0 truncate font-medium">
            {value ? (
              <ChosenName id={value} />
            ) : (
              <span className="text-muted-foreground font-normal">
                {compareWords.picker.choose}
              </span>
            )}
          </span>
          <ChevronsUpDownIcon aria-hidden className="text-muted-foreground size-4 shrink-0" />
        </PopoverTrigger>
        <PopoverContent>
          <Choices
            onPick={(id) => {
              onChange(id)
              setOpen(false)
            }}
          />
        </PopoverContent>
      </Popover>
    </div>
  )
}

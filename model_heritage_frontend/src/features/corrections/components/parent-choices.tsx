import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { Command, CommandInput, CommandItem, CommandList } from '@/components/ui/command'
import { modelsQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import type { Model } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

const MOST = 30

interface ParentChoicesProps {
  child: string
  familyId: string | null
  onPick: (parent: Model) => void
}

function Group({
  title,
  models,
  onPick,
}: {
  title: string
  models: Model[]
  onPick: (parent: Model) => void
}) {
  if (models.length === 0) return null
  return (
    <Command.Group
      heading={title}
      className="[&_[cmdk-group-heading]]:text-muted-foreground [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs"
    >
      {models.map((model) => (
        <CommandItem key={model.id} value={model.id} onSelect={() => onPick(model)}>
          <span className="min-w-0 truncate">{model.name}</span>
        </CommandItem>
      ))}
    </Command.Group>
  )
}

/** A search for a parent: the family's members first, then all other models. */
export function ParentChoices({ child, familyId, onPick }: ParentChoicesProps) {
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const near = useInfiniteQuery({
    ...modelsQuery({ search, family: familyId ?? '', limit: MOST }),
    enabled: familyId !== null,
  })
  const all = useInfiniteQuery(modelsQuery({ search, limit: MOST }))
  const list = (query: typeof all) =>
    (query.data?.pages.flatMap((page) => page.models) ?? []).filter((model) => model.id !== child)
  const members = familyId === null ? [] : list(near)
  const others = list(all).filter((model) => familyId === null || model.family_id !== familyId)
  const error = near.error ?? all.error
  const settled = all.isSuccess && (familyId === null || near.isSuccess)
  return (
    // The server searches; the list only moves the highlight.
    <Command
      shouldFilter={false}
      label={correctionWords.choices.label}
      className="bg-card rounded-md border"
    >
      <CommandInput
        placeholder={correctionWords.choices.placeholder}
        value={text}
        onValueChange={setText}
      />
      <CommandList label={correctionWords.choices.list} className="max-h-56 overflow-y-auto p-1">
        {error ? (
          <p role="alert" className="text-destructive px-2.5 py-4 text-sm">
            {error.message}
          </p>
        ) : !settled ? (
          <p role="status" className="text-muted-foreground px-2.5 py-4 text-sm">
            {correctionWords.choices.searching}
          </p>
        ) : (
          members.length + others.length === 0 && (
            <p role="status" className="text-muted-foreground px-2.5 py-4 text-sm">
              {correctionWords.choices.none}
            </p>
          )
        )}
        <Group title={correctionWords.choices.inFamily} models={members} onPick={onPick} />
        <Group title={correctionWords.choices.elsewhere} models={others} onPick={onPick} />
      </CommandList>
    </Command>
  )
}

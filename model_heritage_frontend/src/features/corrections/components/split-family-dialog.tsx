import { useQuery } from '@tanstack/react-query'
import { SplitIcon } from 'lucide-react'
import { useState } from 'react'

import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogClose,
  DialogContent,
  DialogDescription,
  DialogTitle,
  DialogTrigger,
} from '@/components/ui/dialog'
import { Input } from '@/components/ui/input'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'
import { useAuthor } from '@/hooks/use-author'

import { describeError } from '@/lib/problem'
import type { Model } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

import { useSplit, type OnSolved } from '../api/mutations'
import { StatementFields } from './statement-fields'

/** More rows than anybody reads: the search narrows them down. */
const MOST = 200

interface MembersProps {
  members: Model[]
  chosen: ReadonlySet<string>
  onToggle: (id: string) => void
}

function Members({ members, chosen, onToggle }: MembersProps) {
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const found = members.filter((member) => member.name.toLowerCase().includes(wanted))
  return (
    <fieldset className="space-y-2">
      <legend className="mb-1.5 text-sm font-medium">{correctionWords.splitting.which}</legend>
      <Input
        type="search"
        aria-label={correctionWords.splitting.search}
        placeholder={correctionWords.splitting.placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className="max-h-56 overflow-y-auto rounded-md border p-1">
        {found.slice(0, MOST).map((member) => (
          <li key={member.id}>
            <label className="hover:bg-muted flex items-center gap-2.5 rounded-sm px-2.5 py-1.5 text-sm">
              <input
                type="checkbox"
                className="accent-primary size-4 shrink-0"
                checked={chosen.has(member.id)}
                onChange={() => onToggle(member.id)}
              />
              <span className="min-w-0 truncate">{member.name}</span>
            </label>
          </li>
        ))}
        {found.length === 0 && (
          <li className="text-muted-foreground px-2.5 py-3 text-sm">
            {correctionWords.splitting.none}
          </li>
        )}
        {found.length > MOST && (
          <li className="text-muted-foreground px-2.5 py-2 text-sm">
            {correctionWords.splitting.more(found.length - MOST)}
          </li>
        )}
      </ul>
      <p className="text-muted-foreground text-sm" aria-live="polite">
        {correctionWords.splitting.chosen(chosen.size, members.length)}
      </p>
    </fieldset>
  )
}

interface SplitFormProps {
  familyId: string
  members: Model[]
  onSolved: OnSolved
}

function SplitForm({ familyId, members, onSolved }: SplitFormProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const { author, setAuthor } = useAuthor()
  const [reason, setReason] = useState('')
  const split = useSplit(familyId, onSolved)
  const toggle = (id: string) =>
    setChosen((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  const ready = chosen.size > 0 && chosen.size < members.length && author.trim() !== ''
  return (
    <form
      className="mt-5 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        split.mutate({ models: [...chosen], author: author.trim(), reason: reason.trim() })
      }}
    >
      <Members members={members} chosen={chosen} onToggle={toggle} />
      <StatementFields
        value={{ author, reason }}
        onChange={(next) => {
          if (next.author !== author) setAuthor(next.author)
          setReason(next.reason)
        }}
      />
      {split.isError && (
        <p role="alert" className="text-destructive text-sm">
          {describeError(split.error)}
        </p>
      )}
      <div className="flex justify-end gap-2 pt-2">
        <DialogClose asChild>
          <Button variant="outline">{correctionWords.cancel}</Button>
        </DialogClose>
        <Button type="submit" disabled={!ready || split.isPending}>
          {split.isPending
            ? correctionWords.solving
            : chosen.size === 0
              ? correctionWords.splitting.submit
              : correctionWords.splitting.submitModels(chosen.size)}
        </Button>
      </div>
    </form>
  )
}

function SplitBody({ familyId, onSolved }: { familyId: string; onSolved: OnSolved }) {
  const tree = useQuery(treeQuery(familyId))
  if (tree.isPending) {
    return (
      <Loading label={correctionWords.splitting.loading}>
        <Skeleton className="mt-5 h-56" />
      </Loading>
    )
  }
  if (tree.isError) return <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />
  return <SplitForm familyId={familyId} members={tree.data.nodes} onSolved={onSolved} />
}

interface SplitFamilyDialogProps {
  familyId: string
  onSolved: OnSolved
}

export function SplitFamilyDialog({ familyId, onSolved }: SplitFamilyDialogProps) {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="outline">
          <SplitIcon aria-hidden />
          {correctionWords.splitting.open}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>{correctionWords.splitting.title}</DialogTitle>
        <DialogDescription>{correctionWords.splitting.text}</DialogDescription>
        <SplitBody
          familyId={familyId}
          onSolved={(result) => {
            setOpen(false)
            onSolved(result)
          }}
        />
      </DialogContent>
    </Dialog>
  )
}

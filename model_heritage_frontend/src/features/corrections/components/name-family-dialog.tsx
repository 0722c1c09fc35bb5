import { PencilIcon } from 'lucide-react'
import { useId, useState } from 'react'

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
import { Label } from '@/components/ui/label'
import { useAuthor } from '@/hooks/use-author'
import { describeError } from '@/lib/problem'
import type { Family } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

import { useNameFamily } from '../api/mutations'

function NameForm({ family, onDone }: { family: Family; onDone: () => void }) {
  const [name, setName] = useState(family.given_name ?? '')
  const { author, setAuthor, isKnown } = useAuthor()
  const naming = useNameFamily(family.id, onDone)
  const nameId = useId()
  const authorId = useId()
  const signed = author.trim() === '' ? {} : { author: author.trim() }
  return (
    <form
      className="mt-5 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        naming.mutate({ name: name.trim(), ...signed })
      }}
    >
      <div className="space-y-1.5">
        <Label htmlFor={nameId}>{correctionWords.naming.name}</Label>
        <Input
          id={nameId}
          required
          maxLength={200}
          placeholder={family.name}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      {!isKnown && (
        <div className="space-y-1.5">
          <Label htmlFor={authorId}>
            {correctionWords.yourName}{' '}
            <span className="text-muted-foreground font-normal">{correctionWords.optional}</span>
          </Label>
          <Input
            id={authorId}
            maxLength={200}
            autoComplete="name"
            value={author}
            onChange={(event) => setAuthor(event.target.value)}
          />
        </div>
      )}
      {naming.isError && (
        <p role="alert" className="text-destructive text-sm">
          {describeError(naming.error)}
        </p>
      )}
      <div className="flex flex-wrap justify-end gap-2 pt-2">
        {family.given_name !== null && (
          <Button
            variant="ghost"
            disabled={naming.isPending}
            onClick={() => naming.mutate({ name: null, ...signed })}
          >
            {correctionWords.naming.afterRoot}
          </Button>
        )}
        <DialogClose asChild>
          <Button variant="outline">{correctionWords.cancel}</Button>
        </DialogClose>
        <Button type="submit" disabled={naming.isPending || name.trim() === ''}>
          {naming.isPending ? correctionWords.naming.saving : correctionWords.naming.save}
        </Button>
      </div>
    </form>
  )
}

export function NameFamilyDialog({ family }: { family: Family }) {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="outline">
          <PencilIcon aria-hidden />
          {correctionWords.naming.open}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>{correctionWords.naming.title}</DialogTitle>
        <DialogDescription>{correctionWords.naming.text}</DialogDescription>
        <NameForm family={family} onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  )
}

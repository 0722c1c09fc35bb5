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
import { Input, Textarea } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { describeError } from '@/lib/problem'
import type { Model, ModelChanges } from '@/lib/types'
import { modelParts } from '@/strings/models'

import { useUpdateModel } from '../api/mutations'

const words = modelParts.editModelDialog

const CLAIMS = [
  { field: 'licence', label: words.labels.licence, hint: words.hints.licence, longest: 200 },
  { field: 'task', label: words.labels.task, hint: words.hints.task, longest: 100 },
  { field: 'tags', label: words.labels.tags, hint: words.hints.tags, longest: 1700 },
  {
    field: 'base_model',
    label: words.labels.base_model,
    hint: words.hints.base_model,
    longest: 500,
  },
] as const

type ClaimTexts = Record<(typeof CLAIMS)[number]['field'], string>

const writeClaims = ({ declared }: Model): ClaimTexts => ({
  licence: declared.licence ?? '',
  task: declared.task ?? '',
  tags: declared.tags.join(', '),
  base_model: declared.base_model ?? '',
})

/** Only what was edited: the rest may be what the model's files say, and is to stay so. */
function findChanges(before: ClaimTexts, after: ClaimTexts): ModelChanges {
  const changes: ModelChanges = {}
  for (const { field } of CLAIMS) {
    const text = after[field].trim()
    if (text === before[field]) continue
    if (field === 'tags') {
      const tags = text.split(',').map((tag) => tag.trim())
      changes.tags = text === '' ? null : tags.filter((tag) => tag !== '')
    } else changes[field] = text === '' ? null : text
  }
  return changes
}

function EditForm({ model, onDone }: { model: Model; onDone: () => void }) {
  const [name, setName] = useState(model.name)
  const [description, setDescription] = useState(model.description)
  const [claims, setClaims] = useState(() => writeClaims(model))
  const update = useUpdateModel(model.id, onDone)
  const nameId = useId()
  const descriptionId = useId()
  const claimId = useId()
  return (
    <form
      className="mt-5 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate({
          name: name.trim(),
          description: description.trim(),
          ...findChanges(writeClaims(model), claims),
        })
      }}
    >
      <div className="space-y-1.5">
        <Label htmlFor={nameId}>{words.name}</Label>
        <Input
          id={nameId}
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <div className="space-y-1.5">
        <Label htmlFor={descriptionId}>{words.description}</Label>
        <Textarea
          id={descriptionId}
          rows={3}
          maxLength={5000}
          value={description}
          onChange={(event) => setDescription(event.target.value)}
        />
      </div>
      <fieldset className="grid gap-4 sm:grid-cols-2">
        <legend className="sr-only">{words.whatYouSayOf}</legend>
        {CLAIMS.map(({ field, label, hint, longest }) => (
          <div key={field} className="space-y-1.5">
            <Label htmlFor={`${claimId}-${field}`}>{label}</Label>
            <Input
              id={`${claimId}-${field}`}
              maxLength={longest}
              placeholder={hint}
              value={claims[field]}
              onChange={(event) => setClaims({ ...claims, [field]: event.target.value })}
            />
          </div>
        ))}
      </fieldset>
      {update.isError && (
        <p role="alert" className="text-destructive text-sm">
          {describeError(update.error)}
        </p>
      )}
      <div className="flex justify-end gap-2 pt-2">
        <DialogClose asChild>
          <Button variant="outline">{words.cancel}</Button>
        </DialogClose>
        <Button type="submit" disabled={update.isPending || name.trim() === ''}>
          {update.isPending ? words.saving : words.save}
        </Button>
      </div>
    </form>
  )
}

export function EditModelDialog({ model }: { model: Model }) {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="outline">
          <PencilIcon aria-hidden />
          {words.edit}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>{words.editModel}</DialogTitle>
        <DialogDescription>{words.whatIsSaidHere}</DialogDescription>
        <EditForm model={model} onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  )
}

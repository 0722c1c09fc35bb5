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
import type { Model } from '@/lib/types'

import { useUpdateModel } from '../api/mutations'

function EditForm({ model, onDone }: { model: Model; onDone: () => void }) {
  const [name, setName] = useState(model.name)
  const [description, setDescription] = useState(model.description)
  const update = useUpdateModel(model.id, onDone)
  const nameId = useId()
  const descriptionId = useId()
  return (
    <form
      className="mt-5 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate({ name: name.trim(), description: description.trim() })
      }}
    >
      <div className="space-y-1.5">
        <Label htmlFor={nameId}>Name</Label>
        <Input
          id={nameId}
          required
          maxLength={255}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <div className="space-y-1.5">
        <Label htmlFor={descriptionId}>Description</Label>
        <Textarea
          id={descriptionId}
          rows={4}
          maxLength={4000}
          value={description}
          onChange={(event) => setDescription(event.target.value)}
        />
      </div>
      {update.isError && (
        <p role="alert" className="text-destructive text-sm">
          {describeError(update.error)}
        </p>
      )}
      <div className="flex justify-end gap-2 pt-2">
        <DialogClose asChild>
          <Button variant="outline">Cancel</Button>
        </DialogClose>
        <Button type="submit" disabled={update.isPending || name.trim() === ''}>
          {update.isPending ? 'Saving…' : 'Save'}
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
          Edit
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>Edit model</DialogTitle>
        <DialogDescription>
          Names and descriptions are for people: they never influence the family tree.
        </DialogDescription>
        <EditForm model={model} onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  )
}

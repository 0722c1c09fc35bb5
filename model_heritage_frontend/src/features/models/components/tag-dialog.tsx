import { useId, useState, type ReactNode } from 'react'

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
import { modelsWords } from '@/strings/models'

const words = modelsWords.tag

interface TagDialogProps {
  count: number
  trigger: ReactNode
  onTags: (tags: string[]) => void
}

const readTags = (text: string): string[] =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')

/** Asks for tags that all models of the selection are to have. */
export function TagDialog({ count, trigger, onTags }: TagDialogProps) {
  const id = useId()
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const tags = readTags(text)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>{trigger}</DialogTrigger>
      <DialogContent>
        <DialogTitle>{words.title(count)}</DialogTitle>
        <DialogDescription>{words.text}</DialogDescription>
        <form
          className="mt-5 space-y-1.5"
          onSubmit={(event) => {
            event.preventDefault()
            setOpen(false)
            setText('')
            onTags(tags)
          }}
        >
          <Label htmlFor={id}>{words.field}</Label>
          <Input
            id={id}
            value={text}
            maxLength={1700}
            placeholder={words.placeholder}
            onChange={(event) => setText(event.target.value)}
          />
          <div className="flex justify-end gap-2 pt-4">
            <DialogClose asChild>
              <Button variant="outline">{modelsWords.cancel}</Button>
            </DialogClose>
            <Button type="submit" disabled={tags.length === 0}>
              {words.action}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  )
}

import { ClipboardCopyIcon } from 'lucide-react'
import { toast } from 'sonner'

import { Button } from '@/components/ui/button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '@/components/ui/dropdown-menu'
import { describeError } from '@/lib/problem'
import type { Model } from '@/lib/types'
import { modelWords } from '@/strings/model'

import { fetchCard, writeCurl, writePython } from '../copy-as'

const words = modelWords.copyAs

async function copy(what: string, write: () => string | Promise<string>): Promise<void> {
  // The clipboard is missing on plain http hosts other than localhost.
  if (!('clipboard' in navigator)) {
    toast.error(words.unavailable)
    return
  }
  let text: string
  try {
    text = await write()
  } catch (error) {
    toast.error(describeError(error))
    return
  }
  try {
    await navigator.clipboard.writeText(text)
    toast.success(words.done(what))
  } catch {
    toast.error(words.refused)
  }
}

/** The model as something that can be pasted elsewhere. */
export function CopyAsMenu({ model }: { model: Model }) {
  const choices: [what: string, write: () => string | Promise<string>][] = [
    [words.curl, () => writeCurl(model, window.location.origin)],
    [words.python, () => writePython(model, window.location.origin)],
    [words.card, () => fetchCard(model)],
  ]
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="outline">
          <ClipboardCopyIcon aria-hidden />
          {words.label}
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent>
        {choices.map(([what, write]) => (
          <DropdownMenuItem key={what} onSelect={() => void copy(what, write)}>
            {what}
          </DropdownMenuItem>
        ))}
      </DropdownMenuContent>
    </DropdownMenu>
  )
}

import { useId, useState } from 'react'

import { Button } from '@/components/ui/button'
import { NativeSelect } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { useAuthor } from '@/hooks/use-author'
import { describeError } from '@/lib/problem'
import type { Named } from '@/lib/relations'
import { correctionWords } from '@/strings/corrections'

import { useCorrect, type OnSolved } from '../api/mutations'
import { ParentChoices } from './parent-choices'
import { StatementFields } from './statement-fields'

export type Deed = 'confirm' | 'forbid' | 'choose' | 'root'

interface CorrectionFormProps {
  deed: Deed
  child: Named
  /** The parents it has now, the main one first. */
  parents: Named[]
  familyId: string | null
  onCancel: () => void
  onSolved: OnSolved
}

function describeDeed(deed: Deed, child: string, parent: string | undefined): string {
  const name = parent ?? correctionWords.form.anotherModel
  switch (deed) {
    case 'confirm':
      return correctionWords.form.confirm(name, child)
    case 'forbid':
      return correctionWords.form.forbid(name, child)
    case 'choose':
      return parent === undefined
        ? correctionWords.form.which(child)
        : correctionWords.form.confirm(name, child)
    case 'root':
      return correctionWords.form.root(child)
  }
}

/** One correction: what is stated, by whom, and why. */
export function CorrectionForm(props: CorrectionFormProps) {
  const { deed, child, parents, familyId, onCancel, onSolved } = props
  const { author, setAuthor } = useAuthor()
  const [reason, setReason] = useState('')
  const [chosen, setChosen] = useState<Named | undefined>(
    deed === 'choose' ? undefined : parents[0],
  )
  const correct = useCorrect(child.id, onSolved)
  const parentId = useId()
  const sentence = describeDeed(deed, child.name, chosen?.name)
  const ready = author.trim() !== '' && (deed === 'root' || chosen !== undefined)
  return (
    <form
      aria-label={correctionWords.form.submit[deed]}
      className="animate-rise bg-muted/50 mt-4 space-y-4 rounded-lg p-4"
      onSubmit={(event) => {
        event.preventDefault()
        correct.mutate({
          kind: deed === 'choose' ? 'confirm' : deed,
          ...(deed === 'root' || !chosen ? {} : { parent: chosen.id }),
          author: author.trim(),
          reason: reason.trim(),
        })
      }}
    >
      <p className="text-sm font-medium text-pretty [overflow-wrap:anywhere]">{sentence}</p>
      {deed === 'choose' &&
        (chosen ? (
          <Button variant="outline" size="sm" onClick={() => setChosen(undefined)}>
            {correctionWords.form.chooseAnother}
          </Button>
        ) : (
          <ParentChoices child={child.id} familyId={familyId} onPick={setChosen} />
        ))}
      {(deed === 'confirm' || deed === 'forbid') && parents.length > 1 && (
        <div className="space-y-1.5">
          <Label htmlFor={parentId}>{correctionWords.form.whichParent}</Label>
          <NativeSelect
            id={parentId}
            value={chosen?.id}
            onChange={(event) =>
              setChosen(parents.find((parent) => parent.id === event.target.value))
            }
          >
            {parents.map((parent) => (
              <option key={parent.id} value={parent.id}>
                {parent.name}
              </option>
            ))}
          </NativeSelect>
        </div>
      )}
      <StatementFields
        value={{ author, reason }}
        onChange={(next) => {
          if (next.author !== author) setAuthor(next.author)
          setReason(next.reason)
        }}
      />
      {correct.isError && (
        <p role="alert" className="text-destructive text-sm text-pretty">
          {describeError(correct.error)}
        </p>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button variant="ghost" size="sm" onClick={onCancel}>
          {correctionWords.cancel}
        </Button>
        <Button type="submit" size="sm" disabled={!ready || correct.isPending}>
          {correct.isPending ? correctionWords.solving : correctionWords.form.submit[deed]}
        </Button>
      </div>
    </form>
  )
}

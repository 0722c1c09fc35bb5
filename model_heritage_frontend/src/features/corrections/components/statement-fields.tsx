import { useId } from 'react'

import { Input, Textarea } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { useAuthor } from '@/hooks/use-author'
import type { Statement } from '@/lib/statements'
import { correctionWords } from '@/strings/corrections'

interface StatementFieldsProps {
  value: Statement
  onChange: (value: Statement) => void
}

/** Who says it, and why. */
export function StatementFields({ value, onChange }: StatementFieldsProps) {
  const { isKnown } = useAuthor()
  const authorId = useId()
  const reasonId = useId()
  return (
    <>
      {!isKnown && (
        <div className="space-y-1.5">
          <Label htmlFor={authorId}>{correctionWords.yourName}</Label>
          <Input
            id={authorId}
            required
            maxLength={200}
            autoComplete="name"
            value={value.author}
            onChange={(event) => onChange({ ...value, author: event.target.value })}
          />
        </div>
      )}
      <div className="space-y-1.5">
        <Label htmlFor={reasonId}>
          {correctionWords.howDoYouKnow}{' '}
          <span className="text-muted-foreground font-normal">{correctionWords.optional}</span>
        </Label>
        <Textarea
          id={reasonId}
          rows={2}
          maxLength={2000}
          value={value.reason}
          onChange={(event) => onChange({ ...value, reason: event.target.value })}
        />
      </div>
    </>
  )
}

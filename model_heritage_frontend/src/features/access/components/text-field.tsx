import { useId } from 'react'

import { Input } from '@/components/ui/input'
import { Label } from '@/components/ui/label'

interface TextFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  autoComplete: string
  hint?: string
  password?: boolean
  mono?: boolean
}

/** One labelled line of a form. */
export function TextField(props: TextFieldProps) {
  const id = useId()
  return (
    <div className="space-y-1.5">
      <Label htmlFor={id}>{props.label}</Label>
      <Input
        id={id}
        type={props.password ? 'password' : 'text'}
        className={props.mono ? 'font-mono' : undefined}
        value={props.value}
        maxLength={200}
        autoComplete={props.autoComplete}
        spellCheck={false}
        autoCapitalize="none"
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onChange={(event) => props.onChange(event.target.value)}
      />
      {props.hint && (
        <p id={`${id}-hint`} className="text-muted-foreground text-sm text-pretty">
          {props.hint}
        </p>
      )}
    </div>
  )
}

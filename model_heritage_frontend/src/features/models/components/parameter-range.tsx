import { useState } from 'react'

import { Input } from '@/components/ui/input'
import { formatCompact, parseCompact } from '@/lib/format'
import { modelParts } from '@/strings/models'

const words = modelParts.parameterRange

interface BoundProps {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
}

/** One end of the range: "7B" or "20,000"; taken over with Enter or when the field is left. */
function Bound({ label, placeholder, value, onChange }: BoundProps) {
  const show = (text: string) => (/^\d+$/.test(text) ? formatCompact(Number(text)) : text)
  const [text, setText] = useState(show(value))
  const [known, setKnown] = useState(value)
  if (value !== known) {
    setKnown(value)
    setText(show(value))
  }
  const number = text.trim() === '' ? null : parseCompact(text)
  const wrong = text.trim() !== '' && number === null
  const take = () => {
    // What is shown is rounded: an untouched field changes nothing.
    if (!wrong && text !== show(value)) onChange(number === null ? '' : String(number))
  }
  return (
    <Input
      aria-label={label}
      aria-invalid={wrong}
      inputMode="text"
      placeholder={placeholder}
      title={words.aNumberSuchAs}
      className="min-w-0 sm:w-27"
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take()
      }}
    />
  )
}

interface ParameterRangeProps {
  least: string
  most: string
  onChange: (name: 'parameters_min' | 'parameters_max', value: string) => void
}

export function ParameterRange({ least, most, onChange }: ParameterRangeProps) {
  return (
    <div role="group" aria-label={words.parameters} className="col-span-2 flex items-center gap-1">
      <Bound
        label={words.parametersAtLeast}
        placeholder={words.minParam}
        value={least}
        onChange={(value) => onChange('parameters_min', value)}
      />
      <span aria-hidden className="text-muted-foreground">
        –
      </span>
      <Bound
        label={words.parametersAtMost}
        placeholder={words.maxParam}
        value={most}
        onChange={(value) => onChange('parameters_max', value)}
      />
    </div>
  )
}

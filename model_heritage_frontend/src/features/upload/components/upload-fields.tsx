import { ChevronRightIcon } from 'lucide-react'
import { useId } from 'react'

import { Input, Textarea } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { uploadWords } from '@/strings/upload'

import { refuseTags, type Said, type UploadItem } from '../queue'
import { useUploads } from '../upload-context'

const words = uploadWords.uploadFields

interface TextFieldProps {
  label: string
  hint?: string
  problem?: string | null
  value: string
  maxLength: number
  lines?: boolean
  onChange: (value: string) => void
}

function TextField({ label, hint, problem, value, maxLength, lines, onChange }: TextFieldProps) {
  const id = useId()
  const below = problem ?? hint
  const common = {
    id,
    value,
    maxLength,
    'aria-invalid': problem ? true : undefined,
    'aria-describedby': below ? `${id}-below` : undefined,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  }
  return (
    <div className="space-y-1.5">
      <Label htmlFor={id}>{label}</Label>
      {lines ? <Textarea {...common} rows={2} /> : <Input {...common} />}
      {below && (
        <p
          id={`${id}-below`}
          className={problem ? 'text-destructive text-sm' : 'text-muted-foreground text-sm'}
        >
          {below}
        </p>
      )}
    </div>
  )
}

/** What may be said of a model before it is sent. Only the name is needed. */
export function UploadFields({ item }: { item: UploadItem }) {
  const { edit } = useUploads()
  const field = (key: keyof Said) => ({
    value: item[key],
    onChange: (value: string) => edit(item.id, { [key]: value }),
  })
  return (
    <div className="space-y-4">
      <TextField
        label={words.name}
        {...field('name')}
        maxLength={200}
        problem={item.name.trim() === '' ? words.nameNeeded : null}
      />
      <details className="group">
        <summary className="text-muted-foreground hover:text-foreground inline-flex cursor-pointer list-none items-center gap-1 rounded-sm text-sm font-medium [&::-webkit-details-marker]:hidden">
          <ChevronRightIcon
            aria-hidden
            className="size-4 transition-transform group-open:rotate-90"
          />
          {words.sayMore}
        </summary>
        <div className="mt-3 grid gap-4 sm:grid-cols-2">
          <div className="sm:col-span-2">
            <TextField label={words.description} {...field('description')} maxLength={5000} lines />
          </div>
          <TextField
            label={words.licence}
            {...field('licence')}
            maxLength={200}
            hint={words.suchAsApache2}
          />
          <TextField
            label={words.tags}
            {...field('tags')}
            maxLength={1700}
            hint={words.withCommasBetweenThem}
            problem={refuseTags(item.tags)}
          />
          <div className="sm:col-span-2">
            <TextField
              label={words.saidToComeFrom}
              {...field('base')}
              maxLength={500}
              hint={words.aModelHereOr}
            />
          </div>
        </div>
      </details>
    </div>
  )
}

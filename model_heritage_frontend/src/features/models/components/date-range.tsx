import { Input } from '@/components/ui/input'
import { modelsWords } from '@/strings/models'

const words = modelsWords.dates

interface DateRangeProps {
  after: string
  before: string
  onChange: (name: 'created_after' | 'created_before', day: string) => void
}

/** Two days, both included, in the browser's own fields. */
export function DateRange({ after, before, onChange }: DateRangeProps) {
  return (
    <div role="group" aria-label={words.label} className="col-span-2 flex items-center gap-1">
      <span aria-hidden className="mr-1 text-sm text-muted-foreground">
        {words.label}
      </span>
      <Input
        type="date"
        aria-label={words.after}
        title={words.after}
        className="min-w-0 sm:w-36"
        value={after}
        max={before || undefined}
        onChange={(event) => onChange('created_after', event.target.value)}
      />
      <span aria-hidden className="text-muted-foreground">
        –
      </span>
      <Input
        type="date"
        aria-label={words.before}
        title={words.before}
        className="min-w-0 sm:w-36"
        value={before}
        min={after || undefined}
        onChange={(event) => onChange('created_before', event.target.value)}
      />
    </div>
  )
}

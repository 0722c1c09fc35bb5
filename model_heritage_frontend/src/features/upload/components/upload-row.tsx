import { FileIcon, RotateCwIcon, TriangleAlertIcon, XIcon } from 'lucide-react'
import { useId } from 'react'
import { Link } from 'react-router'

import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Input, Textarea } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { Progress } from '@/components/ui/progress'
import { formatBytes, formatPercent, plural } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { ApiError } from '@/lib/problem'

import { filesOf, sizeOf } from '../file-sets'
import { type UploadItem } from '../queue'
import { useUploads } from '../upload-context'
import { IdentifiedCard } from './identified-card'
import { UploadResultCard } from './upload-result-card'

function Fields({ item }: { item: UploadItem }) {
  const { edit } = useUploads()
  const nameId = useId()
  const descriptionId = useId()
  const missing = item.name.trim() === ''
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <div className="space-y-1.5">
        <Label htmlFor={nameId}>Name</Label>
        <Input
          id={nameId}
          value={item.name}
          required
          maxLength={255}
          aria-invalid={missing}
          aria-describedby={missing ? `${nameId}-error` : undefined}
          onChange={(event) => edit(item.id, { name: event.target.value })}
        />
        {missing && (
          <p id={`${nameId}-error`} className="text-destructive text-sm">
            Every model needs a name.
          </p>
        )}
      </div>
      <div className="space-y-1.5">
        <Label htmlFor={descriptionId}>
          Description <span className="text-muted-foreground font-normal">(optional)</span>
        </Label>
        <Textarea
          id={descriptionId}
          rows={1}
          className="min-h-9"
          value={item.description}
          maxLength={4000}
          onChange={(event) => edit(item.id, { description: event.target.value })}
        />
      </div>
    </div>
  )
}

function Failure({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  return (
    <div
      role="alert"
      className="border-destructive/30 bg-destructive/5 rounded-lg border p-4 text-sm"
    >
      <p className="text-destructive flex items-center gap-2 font-medium">
        <TriangleAlertIcon aria-hidden className="size-4 shrink-0" />
        {error.title}
      </p>
      <p className="mt-1 [overflow-wrap:anywhere]">{error.message}</p>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {error.existingId ? (
          <Button asChild size="sm" variant="outline">
            <Link to={paths.model(error.existingId)}>Open the model that is here</Link>
          </Button>
        ) : (
          <Button size="sm" variant="outline" onClick={onRetry}>
            <RotateCwIcon aria-hidden />
            Try again
          </Button>
        )}
        {error.requestId && (
          <span className="text-muted-foreground font-mono text-xs">Request {error.requestId}</span>
        )}
      </div>
    </div>
  )
}

function Body({ item }: { item: UploadItem }) {
  const { reset } = useUploads()
  const { state } = item
  if (item.refusal) {
    return (
      <p role="alert" className="text-destructive flex items-center gap-2 text-sm">
        <TriangleAlertIcon aria-hidden className="size-4 shrink-0" />
        {item.refusal}
      </p>
    )
  }
  switch (state.kind) {
    case 'waiting':
      return item.purpose !== null ? (
        <p className="text-muted-foreground text-sm">Waiting for its turn…</p>
      ) : (
        <Fields item={item} />
      )
    case 'sending':
      return (
        <div className="space-y-2">
          <Progress value={state.share} label={`Uploading ${item.name}`} />
          <p className="text-muted-foreground flex justify-between text-sm tabular-nums">
            <span>Uploading…</span>
            <span>
              {formatBytes(sizeOf(item) * state.share)} of {formatBytes(sizeOf(item))},{' '}
              {formatPercent(state.share)}
            </span>
          </p>
        </div>
      )
    case 'reading':
      return (
        <div className="space-y-2">
          <Progress value={null} label={`Reading the weights of ${item.name}`} />
          <p className="text-muted-foreground text-sm" role="status">
            Reading weights and finding its place in the family…
          </p>
        </div>
      )
    case 'done':
      return <UploadResultCard outcome={state.outcome} />
    case 'identified':
      return <IdentifiedCard answer={state.answer} onAdd={() => reset(item.id)} />
    case 'failed':
      return <Failure error={state.error} onRetry={() => reset(item.id)} />
  }
}

function removalWords({ title, state }: UploadItem): { title: string; 'aria-label': string } {
  switch (state.kind) {
    case 'sending':
      return { title: 'Cancel', 'aria-label': `Cancel ${title}` }
    case 'reading':
      return {
        title: 'Stop waiting (the server may still finish)',
        'aria-label': `Stop waiting for ${title}`,
      }
    case 'done':
      return {
        title: 'Remove from this list (the model stays)',
        'aria-label': `Remove ${title} from this list`,
      }
    default:
      return { title: 'Remove', 'aria-label': `Remove ${title} from this list` }
  }
}

function describeFiles(item: UploadItem): string {
  const { parts, beside } = item
  const beginning = parts.length > 1 ? [plural(parts.length, 'part')] : []
  const texts = beside.length > 0 ? [`with ${beside.map((file) => file.name).join(', ')}`] : []
  return [...beginning, formatBytes(sizeOf(item)), ...texts].join(' · ')
}

export function UploadRow({ item }: { item: UploadItem }) {
  const { remove } = useUploads()
  return (
    <Card className="animate-rise p-5" role="group" aria-label={item.title}>
      <div className="mb-4 flex items-center gap-3">
        <span className="bg-muted text-muted-foreground grid size-9 shrink-0 place-items-center rounded-lg">
          <FileIcon aria-hidden className="size-4" />
        </span>
        <div className="min-w-0 flex-1">
          <p
            className="truncate text-sm font-medium"
            title={filesOf(item)
              .map((file) => file.name)
              .join('\n')}
          >
            {item.title}
          </p>
          <p className="text-muted-foreground text-xs [overflow-wrap:anywhere] tabular-nums">
            {describeFiles(item)}
          </p>
        </div>
        <Button variant="ghost" size="icon" {...removalWords(item)} onClick={() => remove(item.id)}>
          <XIcon aria-hidden />
        </Button>
      </div>
      <Body item={item} />
    </Card>
  )
}

import { FileIcon, TriangleAlertIcon, XIcon } from 'lucide-react'

import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { useQueryParam } from '@/hooks/use-query-param'
import { formatBytes } from '@/lib/format'
import { uploadWords } from '@/strings/upload'

import { filesOf, sizeOf } from '../file-sets'
import { MODE, type Purpose, type UploadItem } from '../queue'
import { useUploads } from '../upload-context'
import { IdentifiedCard } from './identified-card'
import { UploadFailure } from './upload-failure'
import { UploadFields } from './upload-fields'
import { PausedBody, ReadingBody, SendingBody } from './upload-progress'
import { UploadResultCard } from './upload-result-card'

const words = uploadWords.uploadRow

interface UploadRowProps {
  item: UploadItem
  /** What the page is for at the moment: nothing needs saying of a file that is only looked up. */
  mode: Purpose
}

function Body({ item, mode }: UploadRowProps) {
  const { reset, resume } = useUploads()
  const [, setMode] = useQueryParam(MODE, 'add')
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
      if (item.purpose !== null)
        return <p className="text-muted-foreground text-sm">{words.waitingForItsTurn}</p>
      return mode === 'add' ? <UploadFields item={item} /> : null
    case 'sending':
      return <SendingBody item={item} state={state} />
    case 'paused':
      return <PausedBody item={item} state={state} />
    case 'reading':
      return <ReadingBody item={item} state={state} />
    case 'done':
      return <UploadResultCard outcome={state.outcome} />
    case 'identified':
      return (
        <IdentifiedCard
          answer={state.answer}
          onAdd={() => {
            setMode('add')
            reset(item.id)
          }}
        />
      )
    case 'failed':
      return (
        <UploadFailure
          error={state.error}
          onRetry={() => resume(item.id)}
          onEdit={() => reset(item.id)}
        />
      )
  }
}

function removalWords({ title, state }: UploadItem): { title: string; 'aria-label': string } {
  switch (state.kind) {
    case 'sending':
    case 'paused':
      return { title: words.cancel, 'aria-label': words.cancelWhat(title) }
    case 'reading':
      return {
        title: words.stopWaiting,
        'aria-label': words.stopWaitingFor(title),
      }
    case 'done':
      return {
        title: words.removeDone,
        'aria-label': words.removeWhat(title),
      }
    default:
      return { title: words.remove, 'aria-label': words.removeWhat(title) }
  }
}

function describeFiles(item: UploadItem): string {
  const { parts, beside } = item
  const beginning = parts.length > 1 ? [words.parts(parts.length)] : []
  const texts = beside.length > 0 ? [words.beside(beside.map((file) => file.name).join(', '))] : []
  return [...beginning, formatBytes(sizeOf(item)), ...texts].join(' · ')
}

export function UploadRow({ item, mode }: UploadRowProps) {
  const { remove } = useUploads()
  return (
    <Card className="animate-rise p-5" role="group" aria-label={item.title}>
      <div className="flex items-center gap-3 not-last:mb-4">
        <span className="bg-muted text-muted-foreground grid size-9 shrink-0 place-items-center rounded-lg">
          <FileIcon aria-hidden className="size-4" />
        </span>
        <div className="min-w-0 flex-1">
          <h2
            className="truncate text-sm font-medium"
            title={filesOf(item)
              .map((file) => file.name)
              .join('\n')}
          >
            {item.title}
          </h2>
          <p className="text-muted-foreground text-xs [overflow-wrap:anywhere] tabular-nums">
            {describeFiles(item)}
          </p>
        </div>
        <Button variant="ghost" size="icon" {...removalWords(item)} onClick={() => remove(item.id)}>
          <XIcon aria-hidden />
        </Button>
      </div>
      <Body item={item} mode={mode} />
    </Card>
  )
}

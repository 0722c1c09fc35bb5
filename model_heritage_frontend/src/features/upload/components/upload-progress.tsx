import { PauseIcon, PlayIcon } from 'lucide-react'

import { Button } from '@/components/ui/button'
import { Progress } from '@/components/ui/progress'
import { formatBytes, formatLeft, formatPercent } from '@/lib/format'
import { uploadWords } from '@/strings/upload'

import { filesOf, sizeOf } from '../file-sets'
import { type UploadItem, type UploadState } from '../queue'
import { secondsLeft } from '../speed'
import { useUploads } from '../upload-context'

const words = uploadWords.uploadProgress

type Of<Kind extends UploadState['kind']> = Extract<UploadState, { kind: Kind }>

function describeSending(item: UploadItem, state: Of<'sending'>): string {
  if (state.interrupted) return words.interrupted
  const files = filesOf(item).length
  const which = files > 1 ? [words.file(state.file + 1, files)] : []
  const speed = state.speed !== null ? [`${formatBytes(state.speed)}/s`] : []
  const left = secondsLeft(sizeOf(item) - state.bytes, state.speed)
  const time = left !== null ? [words.left(formatLeft(left))] : []
  const told = [...which, ...speed, ...time]
  return told.length > 0 ? told.join(' · ') : words.starting
}

function Bytes({ item, bytes }: { item: UploadItem; bytes: number }) {
  const size = sizeOf(item)
  const sent = Math.min(bytes, size)
  return (
    <span className="shrink-0">
      {formatBytes(sent)} {words.of} {formatBytes(size)}, {formatPercent(sent / size)}
    </span>
  )
}

export function SendingBody({ item, state }: { item: UploadItem; state: Of<'sending'> }) {
  const { pause } = useUploads()
  return (
    <div className="flex items-center gap-3">
      <div className="min-w-0 flex-1 space-y-2">
        <Progress value={state.bytes / sizeOf(item)} label={words.uploading(item.name)} />
        <p className="text-muted-foreground flex flex-wrap justify-between gap-x-4 text-sm tabular-nums">
          <span role={state.interrupted ? 'status' : undefined}>
            {describeSending(item, state)}
          </span>
          <Bytes item={item} bytes={state.bytes} />
        </p>
      </div>
      {item.purpose === 'add' && (
        <Button
          size="sm"
          variant="outline"
          aria-label={words.pauseWhat(item.title)}
          onClick={() => pause(item.id)}
        >
          <PauseIcon aria-hidden />
          {words.pause}
        </Button>
      )}
    </div>
  )
}

export function PausedBody({ item, state }: { item: UploadItem; state: Of<'paused'> }) {
  const { resume } = useUploads()
  return (
    <div className="flex items-center gap-3">
      <div className="min-w-0 flex-1 space-y-2">
        <Progress
          value={state.bytes / sizeOf(item)}
          label={words.paused(item.name)}
          className="opacity-50"
        />
        <p className="text-muted-foreground flex flex-wrap justify-between gap-x-4 text-sm tabular-nums">
          <span role="status">{words.pausedWhatHasArrived}</span>
          <Bytes item={item} bytes={state.bytes} />
        </p>
      </div>
      <Button
        size="sm"
        variant="outline"
        aria-label={words.resumeWhat(item.title)}
        onClick={() => resume(item.id)}
      >
        <PlayIcon aria-hidden />
        {words.resume}
      </Button>
    </div>
  )
}

function describeReading(item: UploadItem, { job }: Of<'reading'>): string {
  if (item.purpose === 'identify') return words.identifying
  if (job === null) return words.uploaded
  if (job.state === 'queued') return words.queued
  return job.eta_seconds === null ? words.placing : words.placingLeft(formatLeft(job.eta_seconds))
}

export function ReadingBody({ item, state }: { item: UploadItem; state: Of<'reading'> }) {
  const share = state.job?.state === 'running' && state.job.progress > 0 ? state.job.progress : null
  return (
    <div className="space-y-2">
      <Progress value={share} label={words.readingWeights(item.name)} />
      <p className="text-muted-foreground text-sm" role="status">
        {describeReading(item, state)}
      </p>
    </div>
  )
}

import { RotateCwIcon, XIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { useMay, useMayAsOwner } from '@/hooks/use-may'
import { Button } from '@/components/ui/button'
import { Progress } from '@/components/ui/progress'
import { isActive } from '@/hooks/queries'
import { formatDuration, formatLeft, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Job, JobState } from '@/lib/types'
import { jobWords } from '@/strings/jobs'

import { useCancelJob, useRetryJob } from '../api/mutations'
import {
  describeResult,
  EDITORS_KINDS,
  folderOf,
  isRetryable,
  KIND_WORDS,
  listImportErrors,
  ownerOf,
  STATE_WORDS,
} from '../words'

const words = jobWords.jobRow

const LINK =
  'hover:text-primary [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4'

interface JobRowProps {
  job: Job
  /** The model's name, where it is known. */
  name: string | undefined
}

function StateBadge({ state }: { state: JobState }) {
  const variant = {
    queued: 'muted',
    running: 'default',
    done: 'muted',
    failed: 'destructive',
    cancelled: 'muted',
  } as const
  return <Badge variant={variant[state]}>{STATE_WORDS[state]}</Badge>
}

/** What the job is about. */
function Target({ job, name }: JobRowProps) {
  if (job.model_id) {
    return (
      <Link className={LINK} to={paths.model(job.model_id)}>
        {name ?? words.model}
      </Link>
    )
  }
  if (job.family_id) {
    return (
      <Link className={LINK} to={paths.family(job.family_id)}>
        {words.family}
      </Link>
    )
  }
  const folder = folderOf(job)
  return folder && <code className="font-mono text-xs [overflow-wrap:anywhere]">{folder}</code>
}

function Actions({ job, name }: JobRowProps) {
  const may = useMay()
  const mayAsOwner = useMayAsOwner()
  const cancel = useCancelJob()
  const retry = useRetryJob()
  const about = [KIND_WORDS[job.kind], name ?? ''].filter((word) => word !== '').join(', ')
  const allowed = EDITORS_KINDS.includes(job.kind) ? may('editor') : mayAsOwner(ownerOf(job))
  if (!allowed) return null
  if (isActive(job)) {
    return (
      <Button
        size="sm"
        variant="outline"
        aria-label={words.cancelWhat(about)}
        disabled={cancel.isPending}
        onClick={() => cancel.mutate(job.id)}
      >
        <XIcon aria-hidden />
        {words.cancel}
      </Button>
    )
  }
  if (!isRetryable(job)) return null
  return (
    <Button
      size="sm"
      variant="outline"
      aria-label={words.tryAgainWhat(about)}
      disabled={retry.isPending}
      onClick={() => retry.mutate(job.id)}
    >
      <RotateCwIcon aria-hidden />
      {words.tryAgain}
    </Button>
  )
}

function Running({ job }: { job: Job }) {
  const left = job.eta_seconds !== null ? words.left(formatLeft(job.eta_seconds)) : ''
  return (
    <div className="mt-3 space-y-1.5">
      <Progress
        value={job.progress > 0 ? job.progress : null}
        label={words.progress(KIND_WORDS[job.kind])}
      />
      <p className="text-muted-foreground flex flex-wrap justify-between gap-x-4 text-sm tabular-nums">
        <span className="first-letter:uppercase">{job.stage ?? words.working}</span>
        <span>
          {formatPercent(job.progress)}
          {left}
        </span>
      </p>
    </div>
  )
}

function Ending({ job }: { job: Job }) {
  const result = describeResult(job)
  const errors = listImportErrors(job)
  return (
    <>
      {job.error && (
        <p className="text-destructive mt-2 text-sm [overflow-wrap:anywhere]">{job.error}</p>
      )}
      {result && <p className="mt-2 text-sm">{result}</p>}
      {errors.length > 0 && (
        <ul className="text-muted-foreground mt-1 list-disc pl-5 text-sm [overflow-wrap:anywhere]">
          {errors.map((error) => (
            <li key={error}>{error}</li>
          ))}
        </ul>
      )}
    </>
  )
}

/** One job: what it does, to what, how far it is or how it ended. */
export function JobRow({ job, name }: JobRowProps) {
  return (
    <li className="px-5 py-4">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-medium">{KIND_WORDS[job.kind]}</span>
            <StateBadge state={job.state} />
            <span className="text-sm">
              <Target job={job} name={name} />
            </span>
          </p>
          <p className="text-muted-foreground mt-1 text-sm">
            <Ago iso={job.created_at} />
            {job.started_at && job.finished_at && (
              <>
                {words.took} {formatDuration(job.started_at, job.finished_at)}
              </>
            )}
            {job.attempts > 1 && words.attempt(job.attempts, job.max_attempts)}
          </p>
        </div>
        <Actions job={job} name={name} />
      </div>
      {job.state === 'running' && <Running job={job} />}
      <Ending job={job} />
    </li>
  )
}

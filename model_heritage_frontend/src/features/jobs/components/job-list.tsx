import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ListChecksIcon } from 'lucide-react'
import { Link } from 'react-router'

import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Progress } from '@/components/ui/progress'
import { Skeleton } from '@/components/ui/skeleton'
import { jobsQuery, modelsQuery } from '@/hooks/queries'
import { useQueryParam } from '@/hooks/use-query-param'
import { formatDuration } from '@/lib/format'
import { paths } from '@/lib/paths'
import { NativeSelect } from '@/components/ui/input'
import type { Job, JobState } from '@/lib/types'

import { useCancelJob } from '../api/mutations'

const KIND_WORDS: Record<Job['kind'], string> = {
  process: 'Read a new model',
  reprocess: 'Read a model again',
  rebuild: 'Solve a family again',
  recluster: 'Solve the whole lake again',
  import: 'Import a folder',
  cleanup: 'Clean up',
}

const STATE_WORDS: Record<JobState, string> = {
  queued: 'Queued',
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

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

/** Names of the newest models, for jobs that only know ids. */
function useModelNames(): Map<string, string> {
  const models = useInfiniteQuery(modelsQuery({ sort: '-created_at', limit: 200 }))
  const known = models.data?.pages.flatMap((page) => page.models) ?? []
  return new Map(known.map((model) => [model.id, model.name]))
}

function Target({ job, name }: JobRowProps) {
  const link =
    'hover:text-primary [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4'
  if (job.model_id) {
    return (
      <Link className={link} to={paths.model(job.model_id)}>
        {name ?? 'Model'}
      </Link>
    )
  }
  if (job.family_id) {
    return (
      <Link className={link} to={paths.family(job.family_id)}>
        Family
      </Link>
    )
  }
  return null
}

function JobRow({ job, name }: JobRowProps) {
  const cancel = useCancelJob()
  return (
    <li className="px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5">
        <p className="font-medium">{KIND_WORDS[job.kind]}</p>
        <StateBadge state={job.state} />
        <span className="text-sm">
          <Target job={job} name={name} />
        </span>
        <span className="text-muted-foreground ml-auto text-sm">
          <Ago iso={job.created_at} />
          {job.started_at && job.finished_at && (
            <>, took {formatDuration(job.started_at, job.finished_at)}</>
          )}
        </span>
        {job.state === 'queued' && (
          <Button
            size="sm"
            variant="outline"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate(job.id)}
          >
            Cancel
          </Button>
        )}
      </div>
      {job.state === 'running' && (
        <div className="mt-3 flex items-center gap-3">
          <Progress value={job.progress} label={`${KIND_WORDS[job.kind]}: progress`} />
          <span className="text-muted-foreground shrink-0 text-sm">{job.stage}</span>
        </div>
      )}
      {job.error && <p className="text-destructive mt-2 text-sm">{job.error}</p>}
    </li>
  )
}

export function JobList() {
  const jobs = useQuery(jobsQuery())
  const names = useModelNames()
  const [state, setState] = useQueryParam('state')
  if (jobs.isPending) {
    return (
      <Loading label="jobs">
        <Skeleton className="h-72 rounded-xl" />
      </Loading>
    )
  }
  if (jobs.isError) return <ErrorState error={jobs.error} onRetry={() => void jobs.refetch()} />
  if (jobs.data.jobs.length === 0) {
    return (
      <EmptyState icon={ListChecksIcon} title="No jobs yet">
        Adding a model and solving a family again are jobs. They appear here.
      </EmptyState>
    )
  }
  const shown = jobs.data.jobs.filter((job) => state === '' || job.state === state)
  return (
    <>
      <NativeSelect
        aria-label="State"
        className="mb-4 w-44"
        value={state}
        onChange={(event) => setState(event.target.value)}
      >
        <option value="">All states</option>
        {Object.entries(STATE_WORDS).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      {shown.length > 0 ? (
        <Card>
          <ul className="divide-y">
            {shown.map((job) => (
              <JobRow key={job.id} job={job} name={names.get(job.model_id ?? '')} />
            ))}
          </ul>
        </Card>
      ) : (
        <p className="text-muted-foreground text-sm">No job is in this state.</p>
      )}
    </>
  )
}

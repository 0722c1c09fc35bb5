import { CircleCheckIcon, RefreshCwIcon, TriangleAlertIcon } from 'lucide-react'

import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Progress } from '@/components/ui/progress'
import { isActive } from '@/hooks/queries'
import { formatPercent } from '@/lib/format'
import type { Job } from '@/lib/types'

import { useRecluster } from '../api/use-recluster'

function JobLine({ job }: { job: Job }) {
  if (isActive(job)) {
    return (
      <div className="mt-4 space-y-2" role="status">
        <Progress
          value={job.state === 'queued' ? null : job.progress}
          label="Solving the whole lake again"
        />
        <p className="text-muted-foreground flex justify-between text-sm tabular-nums">
          <span>
            {job.state === 'queued' ? 'Waiting for its turn…' : (job.stage ?? 'Working…')}
          </span>
          <span>{formatPercent(job.progress)}</span>
        </p>
      </div>
    )
  }
  return job.state === 'done' ? (
    <p role="status" className="text-accent-foreground mt-4 flex items-center gap-2 text-sm">
      <CircleCheckIcon aria-hidden className="size-4" />
      Done: every family has been solved again.
    </p>
  ) : (
    <p role="alert" className="text-destructive mt-4 flex items-center gap-2 text-sm">
      <TriangleAlertIcon aria-hidden className="size-4" />
      {job.error ?? 'The job failed.'}
    </p>
  )
}

export function ReclusterPanel() {
  const { start, starting, job } = useRecluster()
  const busy = starting || (job !== null && isActive(job))
  return (
    <Card className="p-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <div className="max-w-xl">
          <h2 className="text-base font-semibold">Solve everything again</h2>
          <p className="text-muted-foreground mt-1 text-sm text-pretty">
            Families and trees depend only on the models themselves, so this should change nothing.
            It is useful after an update of Model Heritage.
          </p>
        </div>
        <ConfirmDialog
          title="Solve the whole lake again?"
          description="All families and parents are computed anew in the background. The catalogue stays usable."
          action="Solve again"
          onConfirm={start}
          trigger={
            <Button variant="outline" disabled={busy}>
              <RefreshCwIcon aria-hidden className={busy ? 'animate-spin' : undefined} />
              {busy ? 'Working…' : 'Recluster'}
            </Button>
          }
        />
      </div>
      {job && <JobLine job={job} />}
    </Card>
  )
}

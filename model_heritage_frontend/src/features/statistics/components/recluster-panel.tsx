import { CircleCheckIcon, RefreshCwIcon, TriangleAlertIcon } from 'lucide-react'

import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Progress } from '@/components/ui/progress'
import { isActive } from '@/hooks/queries'
import { formatPercent } from '@/lib/format'
import type { Job } from '@/lib/types'
import { statisticsParts } from '@/strings/statistics'

import { useRecluster } from '../api/use-recluster'

const words = statisticsParts.reclusterPanel

function JobLine({ job }: { job: Job }) {
  if (isActive(job)) {
    return (
      <div className="mt-4 space-y-2" role="status">
        <Progress
          value={job.state === 'queued' ? null : job.progress}
          label={words.solvingTheWholeLake}
        />
        <p className="text-muted-foreground flex justify-between text-sm tabular-nums">
          <span>{job.state === 'queued' ? words.waiting : (job.stage ?? words.working)}</span>
          <span>{formatPercent(job.progress)}</span>
        </p>
      </div>
    )
  }
  return job.state === 'done' ? (
    <p role="status" className="text-accent-foreground mt-4 flex items-center gap-2 text-sm">
      <CircleCheckIcon aria-hidden className="size-4" />
      {words.doneEveryFamilyHas}
    </p>
  ) : (
    <p role="alert" className="text-destructive mt-4 flex items-center gap-2 text-sm">
      <TriangleAlertIcon aria-hidden className="size-4" />
      {job.error ?? words.failed}
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
          <h2 className="text-base font-semibold">{words.solveEverythingAgain}</h2>
          <p className="text-muted-foreground mt-1 text-sm text-pretty">
            {words.familiesAndTreesDepend}
          </p>
        </div>
        <ConfirmDialog
          title={words.solveTheWholeLake}
          description={words.allFamiliesAndParents}
          action={words.solveAgain}
          onConfirm={start}
          trigger={
            <Button variant="outline" disabled={busy}>
              <RefreshCwIcon aria-hidden className={busy ? 'animate-spin' : undefined} />
              {busy ? words.working : words.recluster}
            </Button>
          }
        />
      </div>
      {job && <JobLine job={job} />}
    </Card>
  )
}

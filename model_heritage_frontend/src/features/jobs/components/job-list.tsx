import { useInfiniteQuery } from '@tanstack/react-query'
import { ListChecksIcon } from 'lucide-react'

import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { NativeSelect } from '@/components/ui/input'
import { Skeleton } from '@/components/ui/skeleton'
import { jobsQuery, modelsQuery } from '@/hooks/queries'
import { useQueryParam } from '@/hooks/use-query-param'
import { formatNumber } from '@/lib/format'
import { JOB_KINDS, JOB_STATES } from '@/lib/types'
import { jobWords } from '@/strings/jobs'

import { KIND_WORDS, STATE_WORDS } from '../words'
import { JobRow } from './job-row'

const words = jobWords.jobList

const PAGE = 50

/** Names of the newest models, for jobs that only know ids. */
function useModelNames(): Map<string, string> {
  const models = useInfiniteQuery(modelsQuery({ sort: '-created_at', limit: 200 }))
  const known = models.data?.pages.flatMap((page) => page.models) ?? []
  return new Map(known.map((model) => [model.id, model.name]))
}

interface ChoiceProps<T extends string> {
  label: string
  all: string
  words: Record<T, string>
  value: string
  onChange: (value: string) => void
}

function Choice<T extends string>({ label, all, words, value, onChange }: ChoiceProps<T>) {
  return (
    <NativeSelect
      aria-label={label}
      className="sm:w-56"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{all}</option>
      {Object.entries<string>(words).map(([key, word]) => (
        <option key={key} value={key}>
          {word}
        </option>
      ))}
    </NativeSelect>
  )
}

/** What the address asks for, as far as there is such a thing. */
const known = (values: readonly string[], value: string): string =>
  values.includes(value) ? value : ''

function Jobs({ state, kind }: { state: string; kind: string }) {
  const jobs = useInfiniteQuery(jobsQuery({ state, kind, limit: PAGE }))
  const names = useModelNames()
  if (jobs.isPending) {
    return (
      <Loading label={words.jobs}>
        <Skeleton className="h-72 rounded-xl" />
      </Loading>
    )
  }
  if (jobs.isError && !jobs.data)
    return <ErrorState error={jobs.error} onRetry={() => void jobs.refetch()} />
  const shown = jobs.data.pages.flatMap((page) => page.jobs)
  const total = jobs.data.pages[0]?.total ?? 0
  if (shown.length === 0) {
    return state === '' && kind === '' ? (
      <EmptyState icon={ListChecksIcon} title={words.noJobsYet}>
        {words.addingAModelAnd}
      </EmptyState>
    ) : (
      <EmptyState icon={ListChecksIcon} title={words.noSuchJobs}>
        {words.noneOfTheJobs}
      </EmptyState>
    )
  }
  return (
    <>
      <Card>
        <ul className="divide-y" aria-label={words.jobs2}>
          {shown.map((job) => (
            <JobRow key={job.id} job={job} name={names.get(job.model_id ?? '')} />
          ))}
        </ul>
      </Card>
      <div className="mt-4 flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted-foreground text-sm tabular-nums">
          {shown.length < total
            ? words.some(formatNumber(shown.length), total)
            : words.count(total)}
        </p>
        {jobs.hasNextPage && (
          <Button
            variant="outline"
            disabled={jobs.isFetchingNextPage}
            onClick={() => void jobs.fetchNextPage()}
          >
            {jobs.isFetchingNextPage ? words.loading : words.more}
          </Button>
        )}
      </div>
    </>
  )
}

export function JobList() {
  const [state, setState] = useQueryParam('state')
  const [kind, setKind] = useQueryParam('kind')
  const shownState = known(JOB_STATES, state)
  const shownKind = known(JOB_KINDS, kind)
  return (
    <>
      <div className="mb-4 grid grid-cols-2 gap-3 sm:flex">
        <Choice
          label={words.state}
          all={words.allStates}
          words={STATE_WORDS}
          value={shownState}
          onChange={setState}
        />
        <Choice
          label={words.kind}
          all={words.allKinds}
          words={KIND_WORDS}
          value={shownKind}
          onChange={setKind}
        />
      </div>
      <Jobs state={shownState} kind={shownKind} />
    </>
  )
}

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ChevronRightIcon } from 'lucide-react'

import { ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { constraintsQuery, revisionQuery, revisionsQuery } from '@/hooks/statement-queries'
import { useQueryParam } from '@/hooks/use-query-param'
import { cn } from '@/lib/cn'

import type { Revision, RevisionDiff } from '@/lib/statements'
import { correctionWords } from '@/strings/corrections'

import type { OnSolved } from '../api/mutations'
import { TakeBack } from './statement-list'

function Sentences({ list }: { list: string[] }) {
  return (
    <ul className="space-y-1">
      {list.map((why) => (
        <li key={why} className="text-pretty [overflow-wrap:anywhere]">
          {why}
        </li>
      ))}
    </ul>
  )
}

/** What moved first; edges whose figures alone changed lie behind a fold. */
function Differences({ diff }: { diff: RevisionDiff }) {
  const moved = [
    ...diff.members.map((member) => member.why),
    ...diff.edges.filter((edge) => edge.change !== 'changed').map((edge) => edge.why),
  ]
  const figures = diff.edges.filter((edge) => edge.change === 'changed').map((edge) => edge.why)
  return (
    <div className="space-y-2">
      {moved.length > 0 ? (
        <Sentences list={moved} />
      ) : (
        <p>
          {figures.length > 0
            ? correctionWords.history.noParent
            : correctionWords.history.nothingMoved}
        </p>
      )}
      {figures.length > 0 && (
        <details>
          <summary className="text-muted-foreground hover:text-foreground cursor-pointer select-none">
            {correctionWords.history.figures(figures.length)}
          </summary>
          <div className="mt-1.5">
            <Sentences list={figures} />
          </div>
        </details>
      )}
    </div>
  )
}

function RevisionDetail({ familyId, number }: { familyId: string; number: number }) {
  const first = number === 1
  const diff = useQuery({ ...revisionQuery(familyId, number), enabled: !first })
  if (first) return <p>{correctionWords.history.began}</p>
  if (diff.isPending) {
    return (
      <Loading label={correctionWords.history.loadingOne}>
        <Skeleton className="h-12" />
      </Loading>
    )
  }
  if (diff.isError) {
    return <ErrorState error={diff.error} onRetry={() => void diff.refetch()} className="py-6" />
  }
  return <Differences diff={diff.data} />
}

interface RevisionRowProps {
  familyId: string
  revision: Revision
  open: boolean
  onToggle: () => void
  /** Given while what was stated here is in force. */
  takeBack: OnSolved | null
}

function RevisionRow({ familyId, revision, open, onToggle, takeBack }: RevisionRowProps) {
  const { number, summary, author, reason, statement } = revision
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <button
          type="button"
          aria-expanded={open}
          onClick={onToggle}
          className="group flex min-w-0 flex-1 basis-60 gap-2 rounded-sm text-left"
        >
          <ChevronRightIcon
            aria-hidden
            className={cn(
              'text-muted-foreground mt-0.5 size-4 shrink-0 transition-transform',
              open && 'rotate-90',
            )}
          />
          <span className="min-w-0">
            <span className="block text-sm font-medium [overflow-wrap:anywhere] group-hover:underline">
              {summary}
            </span>
            <span className="text-muted-foreground mt-0.5 block text-sm [overflow-wrap:anywhere]">
              <Ago iso={revision.created_at} />
              {correctionWords.history.size(revision.size)}
              {author && correctionWords.history.by(author)}
              {reason && correctionWords.history.reason(reason)}
            </span>
          </span>
        </button>
        {takeBack && statement && <TakeBack what={summary} id={statement.id} onSolved={takeBack} />}
      </div>
      {open && (
        <div className="mt-2.5 ml-6 text-sm">
          <RevisionDetail familyId={familyId} number={number} />
        </div>
      )}
    </li>
  )
}

interface FamilyHistoryProps {
  familyId: string
  onSolved: OnSolved
}

/** Every change of a family, newest first; the open one is part of the address. */
export function FamilyHistory({ familyId, onSolved }: FamilyHistoryProps) {
  const revisions = useInfiniteQuery(revisionsQuery(familyId))
  const constraints = useQuery(constraintsQuery('families', familyId))
  const [open, setOpen] = useQueryParam('revision')
  const inForce = new Set(constraints.data?.constraints.map((constraint) => constraint.id))
  const shown = revisions.data?.pages.flatMap((page) => page.revisions) ?? []
  const total = revisions.data?.pages[0]?.total ?? 0
  return (
    <Card>
      <CardHeader>
        <CardTitle>{correctionWords.history.title}</CardTitle>
        {revisions.isSuccess && (
          <p className="text-muted-foreground text-sm">{correctionWords.history.changes(total)}</p>
        )}
      </CardHeader>
      <CardContent className="pt-2">
        {revisions.isPending ? (
          <Loading label={correctionWords.history.loading}>
            <Skeleton className="mt-2 h-40" />
          </Loading>
        ) : revisions.isError && shown.length === 0 ? (
          <ErrorState
            error={revisions.error}
            onRetry={() => void revisions.refetch()}
            className="py-8"
          />
        ) : shown.length === 0 ? (
          <p className="text-muted-foreground text-sm">{correctionWords.history.nothing}</p>
        ) : (
          <ol className="divide-y">
            {shown.map((revision) => (
              <RevisionRow
                key={revision.number}
                familyId={familyId}
                revision={revision}
                open={open === String(revision.number)}
                onToggle={() =>
                  setOpen(open === String(revision.number) ? null : String(revision.number))
                }
                takeBack={
                  revision.cause === 'correction' && inForce.has(revision.statement?.id ?? '')
                    ? onSolved
                    : null
                }
              />
            ))}
          </ol>
        )}
        {revisions.hasNextPage && (
          <Button
            variant="outline"
            size="sm"
            className="mt-3"
            disabled={revisions.isFetchingNextPage}
            onClick={() => void revisions.fetchNextPage()}
          >
            {revisions.isFetchingNextPage
              ? correctionWords.history.loadingMore
              : correctionWords.history.more}
          </Button>
        )}
      </CardContent>
    </Card>
  )
}

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { HistoryIcon, LockIcon, UnlockIcon } from 'lucide-react'

import { ListEntry } from '@/components/list-card'
import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Input, NativeSelect } from '@/components/ui/input'
import { Skeleton } from '@/components/ui/skeleton'
import { auditQuery, sessionQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { useQueryParam } from '@/hooks/use-query-param'
import { CHANGES, type AuditEntry } from '@/lib/access'
import { accessWords } from '@/strings/access'

const words = accessWords.audit

function Outcome({ status }: { status: number }) {
  if (status < 400) return null
  return (
    <Badge variant={status < 500 ? 'warning' : 'destructive'}>
      {status < 500 ? words.refused(status) : words.failed(status)}
    </Badge>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const removes = entry.method === 'DELETE'
  return (
    <ListEntry
      name={entry.name}
      badges={
        <>
          <Badge variant={removes ? 'destructive' : 'muted'}>{words.actions[entry.method]}</Badge>
          <Outcome status={entry.status} />
        </>
      }
      details={
        <>
          <code className="font-mono text-xs">{entry.path}</code>
          {' · '}
          <span title={`${words.request} ${entry.request_id}`}>
            <Ago iso={entry.created_at} />
          </span>
        </>
      }
    />
  )
}

function Entries({ who, method }: { who: string; method: string }) {
  const log = useInfiniteQuery(auditQuery({ who, method }))
  if (log.isPending) {
    return (
      <Loading label={words.loading}>
        <Skeleton className="h-72 rounded-xl" />
      </Loading>
    )
  }
  if (log.isError && !log.data)
    return <ErrorState error={log.error} onRetry={() => void log.refetch()} />
  const shown = log.data.pages.flatMap((page) => page.entries)
  if (shown.length === 0) {
    const [title, text] =
      who === '' && method === '' ? [words.none, words.noneText] : [words.noSuch, words.noSuchText]
    return (
      <EmptyState icon={HistoryIcon} title={title}>
        {text}
      </EmptyState>
    )
  }
  return (
    <>
      <Card className="px-5 py-1">
        <ul className="divide-y" aria-label={words.entries}>
          {shown.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </ul>
      </Card>
      {log.hasNextPage && (
        <Button
          variant="outline"
          className="mx-auto mt-4 flex"
          disabled={log.isFetchingNextPage}
          onClick={() => void log.fetchNextPage()}
        >
          {words.more}
        </Button>
      )}
    </>
  )
}

/** Who changed what, by whom and by what was done; the choice is in the address. */
export function AuditLog() {
  const { data: session } = useQuery(sessionQuery())
  const [who, setWho] = useQueryParam('who')
  const [action, setAction] = useQueryParam('action')
  const asked = useDebounced(who)
  if (session?.access === 'open') {
    return (
      <EmptyState icon={UnlockIcon} title={words.notKept}>
        {words.notKeptText}
      </EmptyState>
    )
  }
  if (session && session.role !== 'admin')
    return <EmptyState icon={LockIcon} title={words.refusedToOthers} />
  const method = CHANGES.find((each) => each === action) ?? ''
  return (
    <>
      <div className="mb-4 grid grid-cols-2 gap-3 sm:flex">
        <Input
          type="search"
          aria-label={words.who}
          placeholder={words.whoHint}
          className="sm:w-56"
          value={who}
          onChange={(event) => setWho(event.target.value)}
        />
        <NativeSelect
          aria-label={words.action}
          className="sm:w-56"
          value={method}
          onChange={(event) => setAction(event.target.value)}
        >
          <option value="">{words.allActions}</option>
          {CHANGES.map((each) => (
            <option key={each} value={each}>
              {words.actions[each]}
            </option>
          ))}
        </NativeSelect>
      </div>
      <Entries who={asked} method={method} />
    </>
  )
}

import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Needs } from '@/components/needs'
import { ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { healthQuery, readyQuery, sessionQuery, statsQuery, upkeepQuery } from '@/hooks/queries'
import { formatBytes } from '@/lib/format'
import { paths } from '@/lib/paths'
import { describeError } from '@/lib/problem'
import { shellWords } from '@/strings/shell'

const words = shellWords.settings
const link = 'hover:text-primary underline decoration-current/30 underline-offset-4'

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="grid gap-x-8 gap-y-1 py-3 sm:grid-cols-[9rem_minmax(0,1fr)]">
      <dt className="text-muted-foreground text-sm">{label}</dt>
      <dd className="text-sm text-pretty">{children}</dd>
    </div>
  )
}

function UpkeepFacts() {
  const { data, error } = useQuery(upkeepQuery())
  if (!data) {
    return (
      error && (
        <Fact label={words.backups}>
          <span className="text-destructive">{describeError(error)}</span>
        </Fact>
      )
    )
  }
  return (
    <>
      <Fact label={words.backups}>
        {data.last_backup_at === null ? (
          words.noBackup
        ) : (
          <>
            {words.lastBackup} <Ago iso={data.last_backup_at} />;{' '}
            {data.last_verified_at === null ? (
              words.neverVerified
            ) : (
              <>
                {words.verified} <Ago iso={data.last_verified_at} />
              </>
            )}
            .
          </>
        )}
        {data.backup_problem !== null && (
          <p className="text-destructive mt-1">{data.backup_problem}</p>
        )}
      </Fact>
      <Fact label={words.files}>
        {data.damaged_files.length === 0 ? (
          words.noDamage
        ) : (
          <span className="text-destructive">{words.damaged(data.damaged_files.length)}</span>
        )}
      </Fact>
    </>
  )
}

function Facts() {
  const health = useQuery(healthQuery())
  const stats = useQuery(statsQuery())
  const ready = useQuery(readyQuery())
  const session = useQuery(sessionQuery())
  if (health.isPending || stats.isPending) {
    return (
      <Loading label={words.loading}>
        <Skeleton className="my-3 h-40" />
      </Loading>
    )
  }
  const failed = [health, stats].find((query) => query.isError)
  if (!health.data || !stats.data) {
    return (
      <ErrorState
        error={failed?.error}
        onRetry={() => {
          void health.refetch()
          void stats.refetch()
        }}
        className="py-8"
      />
    )
  }
  const { version } = health.data
  return (
    <dl className="divide-y">
      <Fact label={words.version}>{version}</Fact>
      <Fact label={words.state}>
        {ready.error ? describeError(ready.error) : ready.data && words.fine}
      </Fact>
      <Fact label={words.contents}>
        {words.models(stats.data.total_models, formatBytes(stats.data.total_bytes))}
      </Fact>
      {session.data?.role === 'admin' && <UpkeepFacts />}
      <Fact label={words.access}>
        {
          { open: words.accessText, token: words.accessByToken, login: words.accessByLogin }[
            session.data?.access ?? 'open'
          ]
        }
      </Fact>
      <Fact label={words.method}>{words.methodText}</Fact>
    </dl>
  )
}

/** What this server is and holds, and where it is looked after. */
export function AboutServer() {
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.about}</CardTitle>
      </CardHeader>
      <CardContent className="pt-1">
        <Facts />
        <Needs least="admin">
          <p className="mt-3 border-t pt-4 text-sm text-pretty">
            {words.admin}{' '}
            <Link className={link} to={paths.jobs}>
              {words.adminLink}
            </Link>
          </p>
        </Needs>
        <p className="mt-3 flex flex-wrap gap-x-6 gap-y-2 text-sm">
          <a className={link} href="/api/docs">
            {words.api}
          </a>
          <a className={link} href="/api/metrics">
            {words.metrics}
          </a>
        </p>
      </CardContent>
    </Card>
  )
}

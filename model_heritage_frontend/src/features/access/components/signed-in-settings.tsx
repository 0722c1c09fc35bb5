import { useQuery } from '@tanstack/react-query'

import { ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { sessionQuery, signedInQuery } from '@/hooks/queries'
import type { SignedIn } from '@/lib/access'
import { accessWords } from '@/strings/access'

import { useEndSession } from '../api/mutations'

const words = accessWords.sessions

function Row({ session }: { session: SignedIn }) {
  const end = useEndSession()
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm font-medium">
          <span className="[overflow-wrap:anywhere]">{session.name}</span>
          {session.present && <Badge variant="muted">{words.present}</Badge>}
        </p>
        <p className="text-muted-foreground mt-0.5 text-sm [overflow-wrap:anywhere]">
          {words.from(session.address)}, {words.used} <Ago iso={session.last_used_at} />
          <span className="block text-xs">{session.agent}</span>
        </p>
      </div>
      {!session.present && (
        <Button
          variant="outline"
          disabled={end.isPending}
          aria-label={words.endWhich(session.name, session.address)}
          onClick={() => end.mutate(session.id)}
        >
          {words.end}
        </Button>
      )}
    </li>
  )
}

function Rows() {
  const { data, isError, error, refetch } = useQuery(signedInQuery())
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-8" />
  if (!data)
    return (
      <Loading label={words.loading}>
        <Skeleton className="my-3 h-16" />
      </Loading>
    )
  return (
    <ul className="divide-y">
      {data.sessions.map((session) => (
        <Row key={session.id} session={session} />
      ))}
    </ul>
  )
}

/** The browsers in which somebody is signed in: one's own, and for admins all. */
export function SignedInSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open') return null
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">
            {session.role === 'admin' ? words.textAll : words.text}
          </p>
        </div>
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <Rows />
      </CardContent>
    </Card>
  )
}

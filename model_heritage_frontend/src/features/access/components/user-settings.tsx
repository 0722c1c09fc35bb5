import { useQuery } from '@tanstack/react-query'

import { ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { sessionQuery, usersQuery } from '@/hooks/queries'
import type { User } from '@/lib/access'
import { accessWords } from '@/strings/access'

import { useChangeUser, useRemoveUser } from '../api/mutations'
import { CreateUser } from './create-user'
import { RoleSelect } from './role-select'

const words = accessWords.users

function Row({ user, own }: { user: User; own: boolean }) {
  const change = useChangeUser(user.id)
  const removal = useRemoveUser()
  const busy = change.isPending || removal.isPending
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-48">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm font-medium">
          <span className="[overflow-wrap:anywhere]">{user.name}</span>
          {own && <Badge variant="muted">{words.you}</Badge>}
          {user.disabled && <Badge variant="muted">{words.closed}</Badge>}
          {!user.has_password && <Badge variant="outline">{words.byProxy}</Badge>}
        </p>
        <p className="text-muted-foreground mt-0.5 text-sm">
          {user.last_seen_at ? (
            <>
              {words.seen} <Ago iso={user.last_seen_at} />
            </>
          ) : (
            words.neverSeen
          )}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <RoleSelect
          label={words.roleOf(user.name)}
          role={user.role}
          disabled={busy}
          onChange={(role) => change.mutate({ role })}
        />
        {!own && (
          <>
            <Button
              variant="outline"
              disabled={busy}
              aria-label={(user.disabled ? words.openWhose : words.closeWhose)(user.name)}
              onClick={() => change.mutate({ disabled: !user.disabled })}
            >
              {user.disabled ? words.open : words.close}
            </Button>
            <ConfirmDialog
              title={words.removeTitle(user.name)}
              description={words.removeText}
              action={words.remove}
              destructive
              onConfirm={() => removal.mutate(user.id)}
              trigger={
                <Button
                  variant="outline"
                  disabled={busy}
                  aria-label={words.removeWhom(user.name)}
                  className="text-destructive hover:text-destructive"
                >
                  {words.remove}
                </Button>
              }
            />
          </>
        )}
      </div>
    </li>
  )
}

function Rows({ own }: { own: string | null }) {
  const { data, isError, error, refetch } = useQuery(usersQuery())
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-8" />
  if (!data)
    return (
      <Loading label={words.loading}>
        <Skeleton className="my-3 h-24" />
      </Loading>
    )
  return (
    <ul className="divide-y">
      {data.users.map((user) => (
        <Row key={user.id} user={user} own={user.id === own} />
      ))}
    </ul>
  )
}

/** Who may sign in; for admins of a server with users. */
export function UserSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (session?.access !== 'login' || session.role !== 'admin') return null
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{words.text}</p>
        </div>
        <CreateUser />
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <Rows own={session.user_id} />
      </CardContent>
    </Card>
  )
}

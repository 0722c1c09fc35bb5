import { useQuery } from '@tanstack/react-query'

import { ListCard, ListEntry } from '@/components/list-card'
import { Ago } from '@/components/time'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { sessionQuery, usersQuery } from '@/hooks/queries'
import type { User } from '@/lib/access'
import { accessWords } from '@/strings/access'

import { useChangeUser, useRemoveUser } from '../api/mutations'
import { CreateUser } from './create-user'
import { RoleSelect } from './role-select'

const words = accessWords.users

function UserEntry({ user, own }: { user: User; own: boolean }) {
  const change = useChangeUser(user.id)
  const removal = useRemoveUser()
  const busy = change.isPending || removal.isPending
  return (
    <ListEntry
      name={user.name}
      badges={
        <>
          {own && <Badge variant="muted">{words.you}</Badge>}
          {user.disabled && <Badge variant="muted">{words.closed}</Badge>}
          {!user.has_password && <Badge variant="outline">{words.byProxy}</Badge>}
        </>
      }
      details={
        user.last_seen_at ? (
          <>
            {words.seen} <Ago iso={user.last_seen_at} />
          </>
        ) : (
          words.neverSeen
        )
      }
    >
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
    </ListEntry>
  )
}

/** Who may sign in; for admins of a server with users. */
export function UserSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (session?.access !== 'login' || session.role !== 'admin') return null
  return (
    <ListCard
      title={words.title}
      text={words.text}
      action={<CreateUser />}
      query={usersQuery()}
      loading={words.loading}
    >
      {({ users }) =>
        users.map((user) => (
          <UserEntry key={user.id} user={user} own={user.id === session.user_id} />
        ))
      }
    </ListCard>
  )
}

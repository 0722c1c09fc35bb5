import { useQuery } from '@tanstack/react-query'

import { ListCard, ListEntry } from '@/components/list-card'
import { Ago } from '@/components/time'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { sessionQuery, tokensQuery, usersQuery } from '@/hooks/queries'
import type { Session, Token } from '@/lib/access'
import { formatDateTime } from '@/lib/format'
import { accessWords } from '@/strings/access'

import { useRevokeToken } from '../api/mutations'
import { CreateToken } from './create-token'

const words = accessWords.tokens

interface TokenEntryProps {
  token: Token
  /** Whether the list is of one's own tokens. */
  own: boolean
  /** Whether this browser signed in with it. */
  present: boolean
  user: string | undefined
}

function TokenEntry({ token, own, present, user }: TokenEntryProps) {
  const revoke = useRevokeToken(own)
  return (
    <ListEntry
      name={token.name}
      badges={
        <>
          <Badge variant="outline">{accessWords.roles[token.role]}</Badge>
          {token.state !== 'valid' && <Badge variant="muted">{words.states[token.state]}</Badge>}
          {user !== undefined && <Badge variant="outline">{user}</Badge>}
          {present && <Badge variant="muted">{words.yours}</Badge>}
        </>
      }
      details={
        <>
          <span className="font-mono text-xs">{token.id}</span>, {words.made_at}{' '}
          <Ago iso={token.created_at} />,{' '}
          {token.expires_at ? `${words.until} ${formatDateTime(token.expires_at)}` : words.forEver},{' '}
          {token.last_used_at ? (
            <>
              {words.used} <Ago iso={token.last_used_at} />
            </>
          ) : (
            words.neverUsed
          )}
        </>
      }
    >
      {token.state === 'valid' && (
        <ConfirmDialog
          title={words.revokeTitle(token.name)}
          description={words.revokeText}
          action={words.revoke}
          destructive
          onConfirm={() => revoke.mutate(token.id)}
          trigger={
            <Button
              variant="outline"
              disabled={revoke.isPending}
              aria-label={words.revokeWhich(token.name)}
            >
              {words.revoke}
            </Button>
          }
        />
      )}
    </ListEntry>
  )
}

function TokenCard({ own, session }: { own: boolean; session: Session }) {
  const { data: users } = useQuery({
    ...usersQuery(),
    enabled: !own && session.access === 'login',
  })
  return (
    <ListCard
      title={own ? words.ownTitle : words.title}
      text={own ? words.ownText : words.text}
      action={<CreateToken own={own} upTo={session.role} />}
      query={tokensQuery(own)}
      loading={words.loading}
      note={({ tokens }) =>
        tokens.length === 0 && <p className="text-muted-foreground py-3 text-sm">{words.none}</p>
      }
    >
      {({ tokens }) =>
        tokens.map((token) => (
          <TokenEntry
            key={token.id}
            token={token}
            own={own}
            present={token.id === session.token_id}
            user={own ? undefined : users?.users.find((user) => user.id === token.user_id)?.name}
          />
        ))
      }
    </ListCard>
  )
}

/** Who may come in; for admins of a server that asks. */
export function TokenSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open' || session.role !== 'admin') return null
  return <TokenCard own={false} session={session} />
}

/** Tokens for oneself; for whoever signed in as somebody, and not with a token. */
export function OwnTokenSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session?.user_id || session.token_id !== null) return null
  return <TokenCard own session={session} />
}

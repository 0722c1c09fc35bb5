import { useQuery } from '@tanstack/react-query'

import { ErrorState, Loading } from '@/components/states'
import { Ago } from '@/components/time'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { sessionQuery, tokensQuery } from '@/hooks/queries'
import type { Token } from '@/lib/access'
import { formatDateTime } from '@/lib/format'
import { accessWords } from '@/strings/access'

import { useRevokeToken } from '../api/mutations'
import { CreateToken } from './create-token'

const words = accessWords.tokens

function TokenRow({ token, own }: { token: Token; own: boolean }) {
  const revoke = useRevokeToken()
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm font-medium">
          <span className="[overflow-wrap:anywhere]">{token.name}</span>
          <Badge variant="outline">{accessWords.roles[token.role]}</Badge>
          {token.state !== 'valid' && <Badge variant="muted">{words.states[token.state]}</Badge>}
          {own && <Badge variant="muted">{words.yours}</Badge>}
        </p>
        <p className="text-muted-foreground mt-0.5 text-sm">
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
        </p>
      </div>
      {token.state === 'valid' && (
        <ConfirmDialog
          title={words.revokeTitle(token.name)}
          description={words.revokeText}
          action={words.revoke}
          destructive
          onConfirm={() => revoke.mutate(token.id)}
          trigger={
            <Button variant="outline" disabled={revoke.isPending}>
              {words.revoke}
            </Button>
          }
        />
      )}
    </li>
  )
}

function TokenRows({ own }: { own: string | null }) {
  const { data, isError, error, refetch } = useQuery(tokensQuery())
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-8" />
  if (!data)
    return (
      <Loading label={words.loading}>
        <Skeleton className="my-3 h-24" />
      </Loading>
    )
  return (
    <ul className="divide-y">
      {data.tokens.map((token) => (
        <TokenRow key={token.id} token={token} own={token.id === own} />
      ))}
    </ul>
  )
}

/** Who may come in; for admins of a server that asks. */
export function TokenSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open' || session.role !== 'admin') return null
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{words.text}</p>
        </div>
        <CreateToken />
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <TokenRows own={session.token_id} />
      </CardContent>
    </Card>
  )
}

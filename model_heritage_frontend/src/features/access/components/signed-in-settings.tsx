import { useQuery } from '@tanstack/react-query'

import { ListCard, ListEntry } from '@/components/list-card'
import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { sessionQuery, signedInQuery } from '@/hooks/queries'
import type { SignedIn } from '@/lib/access'
import { accessWords } from '@/strings/access'

import { useEndSession } from '../api/mutations'

const words = accessWords.sessions

function SessionEntry({ session }: { session: SignedIn }) {
  const end = useEndSession()
  return (
    <ListEntry
      name={session.name}
      badges={session.present && <Badge variant="muted">{words.present}</Badge>}
      details={
        <>
          {words.from(session.address)}, {words.used} <Ago iso={session.last_used_at} />
          <span className="block text-xs">{session.agent}</span>
        </>
      }
    >
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
    </ListEntry>
  )
}

/** The browsers in which somebody is signed in: one's own, and for admins all. */
export function SignedInSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open') return null
  return (
    <ListCard
      title={words.title}
      text={session.role === 'admin' ? words.textAll : words.text}
      query={signedInQuery()}
      loading={words.loading}
    >
      {({ sessions }) => sessions.map((each) => <SessionEntry key={each.id} session={each} />)}
    </ListCard>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'

import { Button } from '@/components/ui/button'
import { Card, CardHeader, CardTitle } from '@/components/ui/card'
import { sessionQuery } from '@/hooks/queries'
import { paths } from '@/lib/paths'
import { accessWords } from '@/strings/access'

const words = accessWords.audit

/** The way to the record of changes; for admins of a server that keeps one. */
export function AuditSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open' || session.role !== 'admin') return null
  return (
    <Card>
      <CardHeader className="pb-5">
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{words.text}</p>
        </div>
        <Button asChild variant="outline">
          <Link to={paths.audit}>{words.open}</Link>
        </Button>
      </CardHeader>
    </Card>
  )
}

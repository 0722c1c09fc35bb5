import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'react-router'

import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { revisionsQuery } from '@/hooks/statement-queries'
import { formatAgo, formatDateTime, formatDuration } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Revision } from '@/lib/statements'
import type { Model } from '@/lib/types'
import { modelWords } from '@/strings/model'

const words = modelWords.timeline
const MOST_CHANGES = 3

function Moment({ title, iso, note }: { title: string; iso: string; note?: string }) {
  return (
    <li className="relative pb-5 pl-6 last:pb-0">
      <span
        aria-hidden
        className="border-card bg-primary absolute top-1.5 -left-[5px] size-2.5 rounded-full ring-4 ring-(--card)"
      />
      <p className="text-sm font-medium [overflow-wrap:anywhere]">{title}</p>
      <p className="text-muted-foreground text-sm">
        <time dateTime={iso}>{formatDateTime(iso)}</time>
        <span>, {note ?? formatAgo(iso)}</span>
      </p>
    </li>
  )
}

/** What happened around the model after it had its place, the latest last. */
function listChanges(revisions: Revision[], model: Model): Revision[] {
  const since = model.processed_at ?? model.created_at
  return revisions
    .filter((revision) => revision.created_at > since && revision.model?.id !== model.id)
    .slice(0, MOST_CHANGES)
    .reverse()
}

function Changes({ model, familyId }: { model: Model; familyId: string }) {
  const revisions = useInfiniteQuery(revisionsQuery(familyId))
  const known = revisions.data?.pages.flatMap((page) => page.revisions) ?? []
  return listChanges(known, model).map((revision) => (
    <Moment key={revision.number} title={revision.summary} iso={revision.created_at} />
  ))
}

export function ModelTimeline({ model }: { model: Model }) {
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.title}</CardTitle>
      </CardHeader>
      <CardContent className="pl-7 sm:pl-8">
        <ol className="border-l">
          <Moment title={words.added} iso={model.created_at} />
          {model.processed_at ? (
            <Moment
              title={model.status === 'error' ? words.failed : words.read}
              iso={model.processed_at}
              note={words.after(formatDuration(model.created_at, model.processed_at))}
            />
          ) : (
            <li className="text-muted-foreground pl-6 text-sm">{words.waiting}</li>
          )}
          {model.family_id && <Changes model={model} familyId={model.family_id} />}
        </ol>
        {model.family_id && (
          <Link
            to={paths.family(model.family_id, model.id)}
            className="hover:text-primary mt-4 inline-block text-sm underline decoration-current/30 underline-offset-4"
          >
            {words.history}
          </Link>
        )}
      </CardContent>
    </Card>
  )
}

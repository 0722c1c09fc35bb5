import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatAgo, formatDateTime, formatDuration } from '@/lib/format'
import type { Model } from '@/lib/types'

function Moment({ title, iso, note }: { title: string; iso: string; note?: string }) {
  return (
    <li className="relative pb-5 pl-6 last:pb-0">
      <span
        aria-hidden
        className="border-card bg-primary absolute top-1.5 -left-[5px] size-2.5 rounded-full ring-4 ring-(--card)"
      />
      <p className="text-sm font-medium">{title}</p>
      <p className="text-muted-foreground text-sm">
        <time dateTime={iso}>{formatDateTime(iso)}</time>
        <span>, {note ?? formatAgo(iso)}</span>
      </p>
    </li>
  )
}

export function ModelTimeline({ model }: { model: Model }) {
  return (
    <Card>
      <CardHeader>
        <CardTitle>Timeline</CardTitle>
      </CardHeader>
      <CardContent className="pl-7 sm:pl-8">
        <ol className="border-l">
          <Moment title="Added" iso={model.created_at} />
          {model.processed_at ? (
            <Moment
              title={model.status === 'error' ? 'Reading failed' : 'Weights read, family solved'}
              iso={model.processed_at}
              note={`${formatDuration(model.created_at, model.processed_at)} after it was added`}
            />
          ) : (
            <li className="text-muted-foreground pl-6 text-sm">Not processed yet</li>
          )}
        </ol>
      </CardContent>
    </Card>
  )
}

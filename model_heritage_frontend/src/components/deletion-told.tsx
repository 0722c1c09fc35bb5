import { useQuery } from '@tanstack/react-query'

import { ErrorState, Loading } from '@/components/states'
import { Skeleton } from '@/components/ui/skeleton'
import { deletionQuery } from '@/hooks/queries'
import { formatBytes } from '@/lib/format'
import { commonWords } from '@/strings/common'

const words = commonWords.deletion
const NAMED = 5

/** What deleting a family, or all that somebody brought, would do; looked up when it is shown. */
export function DeletionTold({ of, id }: { of: 'families' | 'owners'; id: string }) {
  const { data, isError, error, refetch } = useQuery(deletionQuery(of, id))
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-6" />
  if (!data) {
    return (
      <Loading label={words.looking}>
        <Skeleton className="mt-4 h-20 rounded-lg" />
      </Loading>
    )
  }
  const rest = data.children_total - NAMED
  return (
    <section className="bg-muted/60 mt-4 rounded-lg border p-4 text-sm" aria-live="polite">
      <h3 className="font-medium">{words.title}</h3>
      <p className="mt-1.5">{words.models(data.models, formatBytes(data.bytes))}</p>
      {data.children_total > 0 && (
        <>
          <p className="mt-1.5">{words.children(data.children_total)}</p>
          <ul className="mt-1 list-disc space-y-0.5 pl-5 [overflow-wrap:anywhere]">
            {data.children.slice(0, NAMED).map((child) => (
              <li key={child.id}>{child.name}</li>
            ))}
            {rest > 0 && <li>{words.more(rest)}</li>}
          </ul>
        </>
      )}
      {data.statements > 0 && <p className="mt-1.5">{words.statements(data.statements)}</p>}
    </section>
  )
}

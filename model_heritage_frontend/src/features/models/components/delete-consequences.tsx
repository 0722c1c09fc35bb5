import { useQueries } from '@tanstack/react-query'

import { Loading } from '@/components/states'
import { Skeleton } from '@/components/ui/skeleton'
import { modelQuery } from '@/hooks/queries'
import type { Model, ModelDetail } from '@/lib/types'
import { modelsWords } from '@/strings/models'

const words = modelsWords.delete
/** Of a large selection only the first are looked up. */
const LOOKED_UP = 40
const NAMED = 5

/** Models that stay, and whose parent goes. */
function findOrphans(details: ModelDetail[], gone: ReadonlySet<string>): string[] {
  const orphans = new Map<string, string>()
  for (const { lineage } of details) {
    for (const child of lineage.children) {
      if (!gone.has(child.id)) orphans.set(child.id, child.name)
    }
  }
  return [...orphans.values()]
}

/** What others lose when these models go: shown before anything is deleted. */
export function DeleteConsequences({ models }: { models: Model[] }) {
  const looked = models.slice(0, LOOKED_UP)
  const queries = useQueries({ queries: looked.map((model) => modelQuery(model.id)) })
  if (queries.some((query) => query.isPending)) {
    return (
      <Loading label={words.looking}>
        <Skeleton className="mt-4 h-20 rounded-lg" />
      </Loading>
    )
  }
  const details = queries.flatMap((query) => query.data ?? [])
  const gone = new Set(models.map((model) => model.id))
  const orphans = findOrphans(details, gone)
  const families = new Set(
    models.filter((model) => (model.family_size ?? 1) > 1).map((model) => model.family_id),
  )
  const roots = models.filter((model) => model.is_root && (model.family_size ?? 1) > 1)
  return (
    <section className="bg-muted/60 mt-4 rounded-lg border p-4 text-sm" aria-live="polite">
      <h3 className="font-medium">{words.consequences}</h3>
      {details.length === looked.length ? (
        <>
          <p className="mt-1.5">
            {orphans.length > 0
              ? words.orphans(orphans.length)
              : models.length === 1
                ? words.noOrphans
                : words.noOrphansMany}
          </p>
          {orphans.length > 0 && (
            <ul className="mt-1 list-disc space-y-0.5 pl-5 [overflow-wrap:anywhere]">
              {orphans.slice(0, NAMED).map((name) => (
                <li key={name}>{name}</li>
              ))}
              {orphans.length > NAMED && <li>{words.moreOrphans(orphans.length - NAMED)}</li>}
            </ul>
          )}
        </>
      ) : (
        <p className="text-warning mt-1.5">{words.unknown}</p>
      )}
      {roots.slice(0, NAMED).map((root) => (
        <p key={root.id} className="mt-1.5 [overflow-wrap:anywhere]">
          {words.root(root.name)}
        </p>
      ))}
      {families.size > 0 && <p className="mt-1.5">{words.families(families.size)}</p>}
      {models.length > LOOKED_UP && (
        <p className="text-muted-foreground mt-1.5">{words.partly(LOOKED_UP)}</p>
      )}
    </section>
  )
}

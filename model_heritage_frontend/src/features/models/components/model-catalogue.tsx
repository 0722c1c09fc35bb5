import { useInfiniteQuery } from '@tanstack/react-query'
import { DatabaseIcon, PlusIcon, SearchXIcon } from 'lucide-react'
import { Link, useSearchParams } from 'react-router'

import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { familiesQuery, modelsQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { cn } from '@/lib/cn'
import { plural } from '@/lib/format'
import { paths } from '@/lib/paths'

import { ModelCard, ModelCardSkeleton } from './model-card'
import { isFiltered, ModelFilters, type FilterValues } from './model-filters'

const PAGE = 48
const GRID = 'grid gap-4 sm:grid-cols-2 lg:grid-cols-3'

/** The filters as they stand in the address. */
function useFilters() {
  const [params, setParams] = useSearchParams()
  const values: FilterValues = {
    search: params.get('search') ?? '',
    family: params.get('family') ?? '',
    relation: params.get('relation') ?? '',
    status: params.get('status') ?? '',
    sort: params.get('sort') ?? 'name',
  }
  const set = (name: keyof FilterValues, value: string) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before)
        if (value === '' || (name === 'sort' && value === 'name')) after.delete(name)
        else after.set(name, value)
        return after
      },
      { replace: true, preventScrollReset: true },
    )
  const clear = () =>
    setParams(values.sort === 'name' ? {} : { sort: values.sort }, { replace: true })
  return { values, set, clear }
}

export function ModelCatalogue() {
  const { values, set, clear } = useFilters()
  const search = useDebounced(values.search)
  const families = useInfiniteQuery(familiesQuery())
  const models = useInfiniteQuery(modelsQuery({ ...values, search, limit: PAGE }))
  const filtered = isFiltered(values)
  const pages = models.data?.pages ?? []
  const total = pages[0]?.total ?? 0
  const shown = pages.flatMap((page) => page.models)
  const lakeIsEmpty = models.isSuccess && total === 0 && !filtered

  return (
    <>
      {!lakeIsEmpty && (
        <ModelFilters
          values={values}
          families={families.data?.pages.flatMap((page) => page.families) ?? []}
          onChange={set}
          onClear={clear}
        />
      )}
      <p className="text-muted-foreground mt-4 mb-4 h-5 text-sm" aria-live="polite">
        {models.isSuccess && !lakeIsEmpty && plural(total, 'model')}
      </p>
      {models.isPending ? (
        <Loading label="models">
          <div className={GRID}>
            {Array.from({ length: 9 }, (_, index) => (
              <ModelCardSkeleton key={index} />
            ))}
          </div>
        </Loading>
      ) : models.isError && pages.length === 0 ? (
        <ErrorState error={models.error} onRetry={() => void models.refetch()} />
      ) : lakeIsEmpty ? (
        <EmptyState
          icon={DatabaseIcon}
          title="No models yet"
          actions={
            <Button asChild>
              <Link to={paths.add}>
                <PlusIcon aria-hidden />
                Add the first model
              </Link>
            </Button>
          }
        >
          Add two checkpoints and Model Heritage tells you whether one comes from the other.
        </EmptyState>
      ) : shown.length === 0 ? (
        <EmptyState
          icon={SearchXIcon}
          title="No model matches"
          actions={
            <Button variant="outline" onClick={clear}>
              Clear filters
            </Button>
          }
        >
          {search !== '' ? `Nothing here is called “${search}”.` : 'Try fewer filters.'}
        </EmptyState>
      ) : (
        <>
          <ul className={cn(GRID, 'transition-opacity', models.isPlaceholderData && 'opacity-60')}>
            {shown.map((model) => (
              <li key={model.id} className="grid">
                <ModelCard model={model} />
              </li>
            ))}
          </ul>
          {models.hasNextPage && (
            <div className="mt-8 text-center">
              <Button
                variant="outline"
                disabled={models.isFetchingNextPage}
                onClick={() => void models.fetchNextPage()}
              >
                {models.isFetchingNextPage
                  ? 'Loading…'
                  : `Show more (${plural(total - shown.length, 'model')} left)`}
              </Button>
            </div>
          )}
        </>
      )}
    </>
  )
}

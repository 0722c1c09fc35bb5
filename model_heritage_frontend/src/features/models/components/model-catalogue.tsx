import { useInfiniteQuery } from '@tanstack/react-query'
import { DatabaseIcon, PlusIcon, SearchXIcon } from 'lucide-react'
import { Link } from 'react-router'

import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { familiesQuery, modelsQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { cn } from '@/lib/cn'
import { plural } from '@/lib/format'
import { paths } from '@/lib/paths'

import { isFiltered, listChips } from '../filters'
import { useFilters } from '../use-filters'
import { ModelCard, ModelCardSkeleton } from './model-card'
import { ModelFilters } from './model-filters'

const PAGE = 48
const GRID = 'grid gap-4 sm:grid-cols-2 lg:grid-cols-3'

export function ModelCatalogue() {
  const control = useFilters()
  const { values, clear } = control
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
          control={control}
          families={families.data?.pages.flatMap((page) => page.families) ?? []}
          search={search}
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
          {search !== '' && listChips(values, []).length === 0
            ? `Nothing here is called “${search}”.`
            : 'Try fewer filters.'}
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

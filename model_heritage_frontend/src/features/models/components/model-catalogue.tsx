import { useInfiniteQuery } from '@tanstack/react-query'
import { DatabaseIcon, LayoutGridIcon, SearchXIcon, TableIcon } from 'lucide-react'
import { useCallback } from 'react'

import { AddModels } from '@/components/add-models'
import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Segmented } from '@/components/ui/segmented'
import { Skeleton } from '@/components/ui/skeleton'
import { familiesQuery, modelsQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { useQueryParam } from '@/hooks/use-query-param'
import { cn } from '@/lib/cn'
import { modelsWords as words } from '@/strings/models'

import { isFiltered, listChips, writeMoments } from '../filters'
import type { Listing } from '../listing'
import { useSelection } from '../selection'
import { useFilters } from '../use-filters'
import { BulkBar } from './bulk-bar'
import { ModelCardSkeleton } from './model-card'
import { ModelFilters } from './model-filters'
import { ModelGrid } from './model-grid'
import { ModelTable } from './model-table'

const PAGE = 96
const VIEWS = [
  { value: 'cards', label: words.view.cards, icon: <LayoutGridIcon aria-hidden /> },
  { value: 'table', label: words.view.table, icon: <TableIcon aria-hidden /> },
] as const
type View = (typeof VIEWS)[number]['value']

function CatalogueSkeleton({ view }: { view: View }) {
  return (
    <Loading label={words.loading}>
      {view === 'table' ? (
        <Skeleton className="h-112 rounded-xl" />
      ) : (
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4 min-[137.5rem]:grid-cols-5">
          {Array.from({ length: 9 }, (_, index) => (
            <ModelCardSkeleton key={index} />
          ))}
        </div>
      )}
    </Loading>
  )
}

function EmptyLake() {
  return (
    <EmptyState
      icon={DatabaseIcon}
      title={words.empty.title}
      actions={<AddModels>{words.empty.action}</AddModels>}
    >
      {words.empty.text}
    </EmptyState>
  )
}

export function ModelCatalogue() {
  const control = useFilters()
  const { values, clear } = control
  const search = useDebounced(values.search)
  const [chosenView, setView] = useQueryParam('view', 'cards')
  const view: View = chosenView === 'table' ? 'table' : 'cards'
  const selection = useSelection()
  const families = useInfiniteQuery(familiesQuery())
  const models = useInfiniteQuery(modelsQuery(writeMoments({ ...values, search, limit: PAGE })))
  const { fetchNextPage } = models
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage])
  const filtered = isFiltered(values)
  const pages = models.data?.pages ?? []
  const total = pages[0]?.total ?? 0
  const shown = pages.flatMap((page) => page.models)
  const lakeIsEmpty = models.isSuccess && total === 0 && !filtered
  const listing: Listing = {
    models: shown,
    total,
    selection,
    sort: values.sort,
    onSort: (sort) => control.set('sort', sort),
    hasMore: models.hasNextPage,
    // A page that failed is not asked for again by itself, without end.
    isLoading: models.isFetchingNextPage || models.isFetchNextPageError || models.isPlaceholderData,
    onMore: loadMore,
  }

  return (
    <>
      {!lakeIsEmpty && (
        <>
          <ModelFilters
            control={control}
            families={families.data?.pages.flatMap((page) => page.families) ?? []}
            search={search}
          />
          <div className="mt-4 mb-4 flex min-h-9 items-center justify-between gap-4">
            <p className="text-muted-foreground text-sm tabular-nums" aria-live="polite">
              {models.isSuccess && words.count(total)}
            </p>
            <Segmented
              label={words.view.label}
              value={view}
              options={VIEWS}
              onChange={(next) => setView(next)}
            />
          </div>
        </>
      )}
      {models.isPending ? (
        <CatalogueSkeleton view={view} />
      ) : models.isError && pages.length === 0 ? (
        <ErrorState error={models.error} onRetry={() => void models.refetch()} />
      ) : lakeIsEmpty ? (
        <EmptyLake />
      ) : shown.length === 0 ? (
        <EmptyState
          icon={SearchXIcon}
          title={words.none.title}
          actions={
            <Button variant="outline" onClick={clear}>
              {words.none.clear}
            </Button>
          }
        >
          {search !== '' && listChips(values, []).length === 0
            ? words.none.named(search)
            : words.none.text}
        </EmptyState>
      ) : (
        <div className={cn('transition-opacity', models.isPlaceholderData && 'opacity-60')}>
          {view === 'table' ? <ModelTable {...listing} /> : <ModelGrid {...listing} />}
        </div>
      )}
      {models.isFetchingNextPage && (
        <p role="status" className="text-muted-foreground py-4 text-center text-sm">
          {words.loadingMore}
        </p>
      )}
      {models.isFetchNextPageError && (
        <ErrorState error={models.error} onRetry={loadMore} className="py-6" />
      )}
      <BulkBar selection={selection} />
    </>
  )
}

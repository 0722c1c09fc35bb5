import {
  useInfiniteQuery,
  type InfiniteData,
  type UseInfiniteQueryResult,
} from '@tanstack/react-query'
import { NetworkIcon } from 'lucide-react'
import { useCallback, useState, type ReactNode } from 'react'
import { Link } from 'react-router'

import { AddModels } from '@/components/add-models'
import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Skeleton } from '@/components/ui/skeleton'
import { familiesQuery } from '@/hooks/queries'
import { useDebounced } from '@/hooks/use-debounced'
import { useQueryParam } from '@/hooks/use-query-param'
import { formatNumber, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Family, FamilyPage } from '@/lib/types'
import { familyWords } from '@/strings/families'

import { readSort } from '../sorts'
import { FamilyTable } from './family-table'
import { ForestToolbar, type ForestView } from './forest-toolbar'

/** A drawing is one request of the whole tree: only of families that are small enough to sketch. */
const MOST_SKETCHED = 400
const GRID = 'grid gap-4 sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4'

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt className="text-muted-foreground text-xs">{label}</dt>
      <dd className="mt-0.5 font-medium tabular-nums">{value}</dd>
    </div>
  )
}

/** The drawing of a family that has come into view; of large ones their size. */
function LazyPicture({ family, picture }: FamilyGridProps & { family: Family }) {
  const [seen, setSeen] = useState(false)
  const watch = useCallback((element: HTMLDivElement) => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setSeen(true)
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  if (family.size > MOST_SKETCHED) {
    return (
      <div
        aria-hidden
        className="text-muted-foreground grid h-27 place-items-center text-3xl font-semibold tabular-nums opacity-60"
      >
        {formatNumber(family.size)}
      </div>
    )
  }
  return (
    <div ref={watch} className="min-h-27">
      {seen && picture(family)}
    </div>
  )
}

function FamilyCard({ family, picture }: { family: Family; picture: ReactNode }) {
  return (
    <article className="bg-card hover:border-ring/60 relative flex h-full flex-col rounded-xl border p-5 shadow-xs transition-[border-color,box-shadow] hover:shadow-md">
      <div className="bg-muted/60 mb-5 rounded-lg p-3">{picture}</div>
      <h2 className="text-base leading-snug font-semibold">
        <Link
          to={paths.family(family.id)}
          className="line-clamp-2 [overflow-wrap:anywhere] after:absolute after:inset-0 after:rounded-xl"
        >
          {family.name}
        </Link>
      </h2>
      <p className="text-muted-foreground mt-1 truncate text-sm">
        {family.root_name ? (
          <>
            {familyWords.card.root} <span className="text-foreground">{family.root_name}</span>
            {family.root_confidence !== null &&
              familyWords.card.sure(formatPercent(family.root_confidence))}
          </>
        ) : (
          familyWords.card.noRoot
        )}
      </p>
      <dl className="mt-5 grid grid-cols-3 gap-3 text-sm">
        <Figure label={familyWords.card.models} value={formatNumber(family.size)} />
        <Figure label={familyWords.card.generations} value={formatNumber(family.depth + 1)} />
        <Figure
          label={familyWords.card.confidence}
          value={family.mean_confidence === null ? '–' : formatPercent(family.mean_confidence)}
        />
      </dl>
      {family.unresolved_count > 0 && (
        <p className="mt-4">
          <Badge variant="warning">{familyWords.card.unresolved(family.unresolved_count)}</Badge>
        </p>
      )}
    </article>
  )
}

function LonerList({ families }: { families: Family[] }) {
  return (
    <section className="mt-12">
      <h2 className="text-lg font-semibold">{familyWords.alone.title}</h2>
      <p className="text-muted-foreground mt-1 text-sm">
        {familyWords.alone.text(families.length)}
      </p>
      <ul className="mt-4 flex flex-wrap gap-2">
        {families.map((family) => (
          <li key={family.id} className="max-w-full">
            <Badge asChild variant="outline" className="hover:border-ring/60 h-8 px-3 text-sm">
              <Link to={family.root_id ? paths.model(family.root_id) : paths.family(family.id)}>
                <span className="truncate">{family.root_name ?? family.name}</span>
              </Link>
            </Badge>
          </li>
        ))}
      </ul>
    </section>
  )
}

interface FamilyGridProps {
  /** Draws a family, once it is scrolled into view. */
  picture: (family: Family) => ReactNode
}

/** All families: as cards with their shapes, or as rows to sort. */
export function FamilyGrid({ picture }: FamilyGridProps) {
  const [search, setSearch] = useQueryParam('search')
  const [order, setSort] = useQueryParam('sort', '-size')
  const [shape, setView] = useQueryParam('view', 'cards')
  const sort = readSort(order)
  const view = shape === 'table' ? 'table' : 'cards'
  const settled = useDebounced(search)
  const families = useInfiniteQuery(familiesQuery({ search: settled, sort }))
  const total = families.data?.pages[0]?.total ?? null
  if (total === 0 && settled === '' && search === '') {
    return (
      <EmptyState
        icon={NetworkIcon}
        title={familyWords.empty.title}
        actions={<AddModels>{familyWords.empty.action}</AddModels>}
      >
        {familyWords.empty.text}
      </EmptyState>
    )
  }
  return (
    <>
      <ForestToolbar
        search={search}
        onSearch={setSearch}
        sort={sort}
        onSort={setSort}
        view={view}
        onView={setView}
        total={total}
      />
      <Forest families={families} view={view} sort={sort} onSort={setSort} picture={picture} />
    </>
  )
}

interface ForestProps extends FamilyGridProps {
  families: UseInfiniteQueryResult<InfiniteData<FamilyPage>>
  view: ForestView
  sort: string
  onSort: (sort: string) => void
}

function Forest({ families, view, sort, onSort, picture }: ForestProps) {
  if (families.isPending) {
    return (
      <Loading label={familyWords.loading}>
        <div className={GRID}>
          {Array.from({ length: 6 }, (_, index) => (
            <Skeleton key={index} className="h-72 rounded-xl" />
          ))}
        </div>
      </Loading>
    )
  }
  if (families.isError && !families.data) {
    return <ErrorState error={families.error} onRetry={() => void families.refetch()} />
  }
  const shown = families.data.pages.flatMap((page) => page.families)
  const total = families.data.pages[0]?.total ?? 0
  const real = shown.filter((family) => family.size > 1)
  const alone = shown.filter((family) => family.size === 1)
  if (shown.length === 0) {
    return (
      <EmptyState icon={NetworkIcon} title={familyWords.none.title}>
        {familyWords.none.text}
      </EmptyState>
    )
  }
  if (view === 'table') {
    return (
      <>
        <FamilyTable families={shown} sort={sort} onSort={onSort} />
        <MoreFamilies families={families} left={total - shown.length} />
      </>
    )
  }
  return (
    <>
      {real.length > 0 ? (
        <ul className={GRID}>
          {real.map((family) => (
            <li key={family.id}>
              <FamilyCard
                family={family}
                picture={<LazyPicture family={family} picture={picture} />}
              />
            </li>
          ))}
        </ul>
      ) : (
        <p className="text-muted-foreground text-sm">{familyWords.unrelated}</p>
      )}
      {alone.length > 0 && <LonerList families={alone} />}
      <MoreFamilies families={families} left={total - shown.length} />
    </>
  )
}

function MoreFamilies({ families, left }: Pick<ForestProps, 'families'> & { left: number }) {
  if (!families.hasNextPage) return null
  return (
    <div className="mt-8 text-center">
      <Button
        variant="outline"
        disabled={families.isFetchingNextPage}
        onClick={() => void families.fetchNextPage()}
      >
        {families.isFetchingNextPage ? familyWords.loadingMore : familyWords.more(left)}
      </Button>
    </div>
  )
}

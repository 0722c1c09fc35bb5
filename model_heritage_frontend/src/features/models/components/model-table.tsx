import { ArrowDownIcon, ArrowUpIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { StatusBadge } from '@/components/status-badge'
import { Ago } from '@/components/time'
import { Badge } from '@/components/ui/badge'
import { Checkbox } from '@/components/ui/checkbox'
import { cn } from '@/lib/cn'
import { formatBytes, formatCompact } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Model } from '@/lib/types'
import { modelsWords } from '@/strings/models'

import type { Listing } from '../listing'
import { useWindowRows } from '../use-window-rows'

const words = modelsWords.table

interface Column {
  name: string
  /** What the server sorts by, and in which direction the first click does. */
  sort?: { by: string; first: '' | '-' }
  /** Where there is room for it. */
  className: string
  cell: (model: Model) => ReactNode
}

const link = 'hover:text-primary truncate underline-offset-4 hover:underline'

const COLUMNS: Column[] = [
  {
    name: words.name,
    sort: { by: 'name', first: '' },
    className: 'w-auto',
    cell: (model) => (
      <span className="flex min-w-0 items-center gap-2">
        <Link to={paths.model(model.id)} title={model.name} className={`${link} font-medium`}>
          {model.name}
        </Link>
        {model.status !== 'ok' && <StatusBadge status={model.status} />}
      </span>
    ),
  },
  {
    name: words.parent,
    className: 'w-[16%] max-md:hidden',
    cell: ({ parent_id: id, parent_name: name }) =>
      id === null ? (
        <span className="text-muted-foreground">{words.none}</span>
      ) : (
        <Link to={paths.model(id)} title={name ?? id} className={`${link} block`}>
          {name}
        </Link>
      ),
  },
  {
    name: words.relation,
    className: 'w-38',
    cell: (model) => {
      if (model.relation) return <RelationBadge relation={model.relation} />
      return model.is_root && (model.family_size ?? 1) > 1 ? <Badge>{words.root}</Badge> : null
    },
  },
  {
    name: words.confidence,
    sort: { by: 'confidence', first: '-' },
    className: 'w-32 max-sm:hidden',
    cell: ({ confidence_score: value }) => value !== null && <Confidence value={value} />,
  },
  {
    name: words.family,
    sort: { by: 'family', first: '' },
    className: 'w-[16%] max-xl:hidden',
    cell: ({ id, family_id: family, family_name: name }) =>
      family !== null && (
        <Link to={paths.family(family, id)} title={name ?? family} className={`${link} block`}>
          {name}
        </Link>
      ),
  },
  {
    name: words.parameters,
    sort: { by: 'total_parameters', first: '-' },
    className: 'w-28 text-right max-md:hidden',
    cell: (model) => formatCompact(model.total_parameters),
  },
  {
    name: words.size,
    sort: { by: 'size', first: '-' },
    className: 'w-26 text-right max-2xl:hidden',
    cell: (model) => formatBytes(model.file_size),
  },
  {
    name: words.added,
    sort: { by: 'created_at', first: '-' },
    className: 'w-34 text-right max-lg:hidden',
    cell: (model) => (
      <span className="text-muted-foreground">
        <Ago iso={model.created_at} />
      </span>
    ),
  },
]

type Direction = 'ascending' | 'descending' | 'none'

const directionOf = (by: string, sort: string): Direction =>
  sort === by ? 'ascending' : sort === `-${by}` ? 'descending' : 'none'

interface HeadProps {
  column: Column
  sort: string
  onSort: (sort: string) => void
}

function Head({ column, sort, onSort }: HeadProps) {
  const common = cn('px-3 py-2.5 text-left font-medium whitespace-nowrap', column.className)
  if (!column.sort) {
    return (
      <th scope="col" className={common}>
        {column.name}
      </th>
    )
  }
  const { by, first } = column.sort
  const direction = directionOf(by, sort)
  const next = direction === 'none' ? `${first}${by}` : direction === 'ascending' ? `-${by}` : by
  const Icon = direction === 'descending' ? ArrowDownIcon : ArrowUpIcon
  return (
    <th scope="col" aria-sort={direction} className={common}>
      <button
        type="button"
        onClick={() => onSort(next)}
        className="hover:text-foreground inline-flex items-center gap-1"
      >
        {column.name}
        {direction !== 'none' && <Icon aria-hidden className="size-3.5" />}
      </button>
    </th>
  )
}

/** The models in lines; only those near the window are drawn. */
export function ModelTable({ models, total, selection, sort, onSort, ...more }: Listing) {
  const { holder, rows, before, after } = useWindowRows<HTMLTableSectionElement>({
    count: models.length,
    estimate: 45,
    ...more,
  })
  const marked = models.filter((model) => selection.has(model.id)).length
  const gap = (height: number) =>
    height > 0 && (
      <tr aria-hidden>
        <td colSpan={COLUMNS.length + 1} style={{ height, padding: 0 }} />
      </tr>
    )
  return (
    <div className="bg-card overflow-clip rounded-xl border shadow-xs">
      <table
        aria-label={words.label}
        aria-rowcount={total + 1}
        className="w-full table-fixed text-sm tabular-nums"
      >
        <thead className="text-muted-foreground bg-muted/50 border-b">
          <tr aria-rowindex={1}>
            <th scope="col" className="w-12 pl-3">
              <Checkbox
                aria-label={modelsWords.select.loaded(models.length)}
                checked={marked > 0 && marked === models.length}
                indeterminate={marked > 0 && marked < models.length}
                onChange={() => selection.toggleAll(models)}
              />
            </th>
            {COLUMNS.map((column) => (
              <Head key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody ref={holder}>
          {gap(before)}
          {rows.getVirtualItems().map((row) => {
            const model = models[row.index]
            if (!model) return null
            return (
              <tr
                key={model.id}
                aria-rowindex={row.index + 2}
                className={cn(
                  'h-[45px] border-b last:border-0',
                  selection.has(model.id) ? 'bg-accent/50' : 'hover:bg-muted/50',
                )}
              >
                <td className="pl-3">
                  <Checkbox
                    aria-label={modelsWords.select.one(model.name)}
                    checked={selection.has(model.id)}
                    onChange={() => selection.toggle(model)}
                  />
                </td>
                {COLUMNS.map((column) => (
                  <td key={column.name} className={cn('overflow-hidden px-3', column.className)}>
                    {column.cell(model)}
                  </td>
                ))}
              </tr>
            )
          })}
          {gap(after)}
        </tbody>
      </table>
    </div>
  )
}

import { ArrowDownIcon, ArrowUpIcon, XIcon } from 'lucide-react'
import { useState } from 'react'

import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Input, NativeSelect } from '@/components/ui/input'
import { useQueryParam } from '@/hooks/use-query-param'
import { formatChange, formatNumber, formatPercent, formatShape, plural } from '@/lib/format'
import { cn } from '@/lib/cn'
import type { TensorComparison } from '@/lib/types'

import { ALL_ROWS, barLength, chooseRows, largestChange, ORDERS, type RowOrder } from '../rows'
import { kindName, STATUS_WORDS, VERDICT_WORDS } from '../words'
import type { HeatChoice } from './heat-grid'

const STEP = 150

function Change({ tensor, largest }: { tensor: TensorComparison; largest: number }) {
  if (tensor.status === 'equal') {
    return <span className="text-muted-foreground text-sm">equal</span>
  }
  if (tensor.relative_change === null) {
    return <Badge variant="muted">{STATUS_WORDS[tensor.status]}</Badge>
  }
  return (
    <span className="flex items-center gap-3">
      <span
        aria-hidden
        className="bg-foreground/6 h-1.5 min-w-12 flex-1 overflow-hidden rounded-full"
      >
        <span
          className="bg-primary block h-full rounded-full"
          style={{ width: `${barLength(tensor.relative_change, largest) * 100}%` }}
        />
      </span>
      <span className="w-16 text-right text-sm tabular-nums">
        {formatChange(tensor.relative_change)}
      </span>
    </span>
  )
}

function Shape({ tensor }: { tensor: TensorComparison }) {
  const here = formatShape(tensor.shape)
  const there = formatShape(tensor.other_shape)
  return here === there ? here : `${here} → ${there}`
}

function Verdict({ tensor }: { tensor: TensorComparison }) {
  const words = VERDICT_WORDS[tensor.verdict]
  if (!words) return null
  const [label, explanation] = words
  return <span title={explanation}>{label}</span>
}

interface HeadProps {
  children: string
  order: RowOrder
  current: string
  onSort: (order: string | null) => void
  className?: string
}

/** A column that sorts: a second click turns the order round, marked by a leading "-". */
function Head({ children, order, current, onSort, className }: HeadProps) {
  const down = current === order
  const up = current === `-${order}`
  const Arrow = up ? ArrowUpIcon : ArrowDownIcon
  return (
    <th
      scope="col"
      aria-sort={down ? 'descending' : up ? 'ascending' : 'none'}
      className={cn('px-5 py-2 font-medium whitespace-nowrap', className)}
    >
      <button
        type="button"
        onClick={() => onSort(down ? `-${order}` : order)}
        className="hover:text-foreground inline-flex items-center gap-1 rounded-sm py-1"
      >
        {children}
        <Arrow aria-hidden className={cn('size-3.5', !down && !up && 'invisible')} />
      </button>
    </th>
  )
}

const describeChoice = ({ layer, kind }: HeatChoice): string =>
  [
    kind === '' ? '' : kindName(kind),
    layer === '' ? '' : layer === 'none' ? 'outside the layers' : `layer ${layer}`,
  ]
    .filter(Boolean)
    .join(', ')

interface TensorTableProps {
  tensors: TensorComparison[]
  /** The layer and kind that are shown alone. */
  chosen: HeatChoice
  onChoose: (choice: HeatChoice) => void
}

/** Every tensor of the two models, with the size of its change relative to itself. */
export function TensorTable({ tensors, chosen, onChoose }: TensorTableProps) {
  const [search, setSearch] = useQueryParam('tensor')
  const [show, setShow] = useQueryParam('show', 'all')
  const [order, setOrder] = useQueryParam('order', 'change')
  const [limit, setLimit] = useState(STEP)
  const largest = largestChange(tensors)
  const wanted = order.replace(/^-/, '')
  const rows = chooseRows(tensors, {
    ...ALL_ROWS,
    ...chosen,
    search,
    changedOnly: show === 'changed',
    order: ORDERS.find((each) => each === wanted) ?? 'change',
    reversed: order.startsWith('-'),
  })
  const ranked = tensors.some((tensor) => tensor.delta_rank !== null)
  const changed = tensors.filter((tensor) => tensor.status !== 'equal').length
  return (
    <section aria-label="Tensors">
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <h2 className="text-lg font-semibold">
          {formatNumber(changed)} of {plural(tensors.length, 'tensor')} differ
        </h2>
        <div className="flex flex-wrap gap-2">
          <Input
            type="search"
            data-search
            aria-label="Search tensors by name"
            placeholder="Search tensors"
            className="w-full sm:w-48"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <NativeSelect
            aria-label="Which tensors"
            className="w-40"
            value={show}
            onChange={(event) => setShow(event.target.value)}
          >
            <option value="all">All tensors</option>
            <option value="changed">Changed only</option>
          </NativeSelect>
          <NativeSelect
            aria-label="Order"
            className="w-44"
            value={order}
            onChange={(event) => setOrder(event.target.value)}
          >
            <option value="change">Most changed first</option>
            <option value="-change">Least changed first</option>
            <option value="file">As in the file</option>
            <option value="name">By name</option>
            {ranked && <option value="rank">Highest rank first</option>}
            <option value="equal">Fewest equal values first</option>
            <option value="cosine">Least alike first</option>
          </NativeSelect>
        </div>
      </div>
      {(chosen.layer !== '' || chosen.kind !== '') && (
        <Button
          variant="secondary"
          size="sm"
          className="mb-3"
          onClick={() => onChoose({ layer: '', kind: '' })}
        >
          Only {describeChoice(chosen)}
          <XIcon aria-hidden />
          <span className="sr-only">: show all tensors</span>
        </Button>
      )}
      <Card className="overflow-x-auto">
        {/* As a grid on phones: a table with four columns would not fit. */}
        <table className="w-full text-sm max-md:block">
          <thead className="text-muted-foreground border-b text-left max-md:sr-only">
            <tr>
              <Head order="name" current={order} onSort={setOrder}>
                Tensor
              </Head>
              <th scope="col" className="px-5 py-2 font-medium">
                Shape
              </th>
              <Head order="change" current={order} onSort={setOrder} className="w-1/4">
                Change, relative to its size
              </Head>
              <th scope="col" className="px-5 py-2 font-medium">
                Verdict
              </th>
              {ranked && (
                <Head order="rank" current={order} onSort={setOrder} className="text-right">
                  Rank
                </Head>
              )}
              <Head order="equal" current={order} onSort={setOrder} className="text-right">
                Equal values
              </Head>
              <Head order="cosine" current={order} onSort={setOrder} className="text-right">
                Cosine
              </Head>
            </tr>
          </thead>
          <tbody className="divide-y max-md:block">
            {rows.slice(0, limit).map((tensor) => (
              <tr
                key={tensor.name}
                className="max-md:grid max-md:grid-cols-[1fr_auto] max-md:gap-x-4 max-md:gap-y-1 max-md:px-5 max-md:py-3"
              >
                <th
                  scope="row"
                  className="py-2 text-left font-mono text-xs font-normal [overflow-wrap:anywhere] md:min-w-72 md:px-5"
                >
                  {tensor.name}
                </th>
                <td className="text-muted-foreground text-xs whitespace-nowrap tabular-nums md:px-5 md:py-2">
                  <Shape tensor={tensor} />
                </td>
                <td className="max-md:col-span-2 md:px-5 md:py-2">
                  <Change tensor={tensor} largest={largest} />
                </td>
                <td className="text-muted-foreground text-xs whitespace-nowrap max-md:hidden md:px-5 md:py-2">
                  <Verdict tensor={tensor} />
                </td>
                {ranked && (
                  <td className="text-muted-foreground text-right text-xs tabular-nums max-md:col-span-2 md:px-5 md:py-2 md:text-sm">
                    {tensor.delta_rank !== null && (
                      <>
                        <span className="md:sr-only">rank </span>
                        {formatNumber(tensor.delta_rank)}
                      </>
                    )}
                  </td>
                )}
                <td className="text-muted-foreground px-5 py-2 text-right tabular-nums max-md:hidden">
                  {tensor.equal === null ? '–' : formatPercent(tensor.equal)}
                </td>
                <td className="text-muted-foreground px-5 py-2 text-right tabular-nums max-md:hidden">
                  {tensor.cosine === null ? '–' : tensor.cosine.toFixed(4)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && (
          <p className="text-muted-foreground px-5 py-10 text-center text-sm">
            {changed === 0 && show === 'changed' ? 'No tensor differs.' : 'No tensor matches.'}
          </p>
        )}
      </Card>
      {rows.length > limit && (
        <div className="mt-6 text-center">
          <Button variant="outline" onClick={() => setLimit(limit + STEP)}>
            Show more ({plural(rows.length - limit, 'tensor')} left)
          </Button>
        </div>
      )}
    </section>
  )
}

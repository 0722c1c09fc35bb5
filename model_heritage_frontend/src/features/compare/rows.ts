import type { TensorComparison } from '@/lib/types'
import { formatWords } from '@/strings/format'

export const ORDERS = ['change', 'file', 'name', 'rank', 'equal', 'cosine'] as const
export type RowOrder = (typeof ORDERS)[number]

export interface RowOptions {
  search: string
  changedOnly: boolean
  order: RowOrder
  /** The other way round than the order's own, which puts what differs most first. */
  reversed: boolean
  /** Only of this layer ("none": outside the layers) or kind; empty for all. */
  layer: string
  kind: string
}

export const ALL_ROWS: RowOptions = {
  search: '',
  changedOnly: false,
  order: 'change',
  reversed: false,
  layer: '',
  kind: '',
}

/** How a tensor's layer stands in an address. */
export const layerKey = (layer: number | null): string => (layer === null ? 'none' : String(layer))

type Value = (tensor: TensorComparison) => number

/** Least first; what cannot be measured is the greatest difference. */
const VALUES: Record<Exclude<RowOrder, 'file' | 'name'>, Value> = {
  change: (tensor) => -(tensor.relative_change ?? Infinity),
  rank: (tensor) => -(tensor.delta_rank ?? -1),
  equal: (tensor) => tensor.equal ?? -1,
  cosine: (tensor) => tensor.cosine ?? -2,
}

const collator = new Intl.Collator(formatWords.locale, { numeric: true })

/** The tensors to show: filtered, and by default the most changed first. */
export function chooseRows(tensors: TensorComparison[], options: RowOptions): TensorComparison[] {
  const { changedOnly, order, reversed, layer, kind } = options
  const wanted = options.search.trim().toLowerCase()
  const rows = tensors.filter(
    (tensor) =>
      (!changedOnly || tensor.status !== 'equal') &&
      (layer === '' || layerKey(tensor.layer) === layer) &&
      (kind === '' || tensor.kind === kind) &&
      (wanted === '' || tensor.name.toLowerCase().includes(wanted)),
  )
  if (order === 'name') rows.sort((a, b) => collator.compare(a.name, b.name))
  else if (order !== 'file') {
    const value = VALUES[order]
    // Two that cannot be measured differ by Infinity - Infinity: they keep their order.
    rows.sort((a, b) => value(a) - value(b) || 0)
  }
  return reversed ? rows.reverse() : rows
}

/** The length of a tensor's bar, 0 to 1, on a scale shared by the whole table. */
export function barLength(change: number | null, largest: number): number {
  if (change === null || change <= 0 || largest <= 0) return 0
  return Math.max(0.01, Math.min(1, change / largest))
}

export const largestChange = (tensors: TensorComparison[]): number =>
  tensors.reduce((most, tensor) => Math.max(most, tensor.relative_change ?? 0), 0)

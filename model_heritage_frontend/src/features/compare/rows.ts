import type { TensorComparison } from '@/lib/types'

export type RowOrder = 'change' | 'file'

export interface RowOptions {
  search: string
  changedOnly: boolean
  order: RowOrder
}

/** The tensors to show: filtered, and by default the most changed first. */
export function chooseRows(
  tensors: TensorComparison[],
  { search, changedOnly, order }: RowOptions,
): TensorComparison[] {
  const wanted = search.trim().toLowerCase()
  const rows = tensors.filter(
    (tensor) =>
      (!changedOnly || tensor.status !== 'equal') &&
      (wanted === '' || tensor.name.toLowerCase().includes(wanted)),
  )
  if (order === 'file') return rows
  // What cannot be measured (a tensor of one model only) comes first: it is the greatest difference.
  return rows.sort((a, b) => (b.relative_change ?? Infinity) - (a.relative_change ?? Infinity) || 0)
}

/** The length of a tensor's bar, 0 to 1, on a scale shared by the whole table. */
export function barLength(change: number | null, largest: number): number {
  if (change === null || change <= 0 || largest <= 0) return 0
  return Math.max(0.01, Math.min(1, change / largest))
}

export const largestChange = (tensors: TensorComparison[]): number =>
  tensors.reduce((most, tensor) => Math.max(most, tensor.relative_change ?? 0), 0)

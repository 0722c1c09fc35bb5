import type { TensorComparison } from '@/lib/types'

import { layerKey } from './rows'

/** Change by layer and kind: the sums that a heat strip shows. */

export interface HeatCell {
  /** The norm of the change over the norm of the values; null where nothing can be measured. */
  change: number | null
  tensors: number
  changed: number
}

export interface HeatMap {
  /** In order; null (outside the layers) last. */
  layers: (number | null)[]
  kinds: string[]
  /** Of all kinds together. */
  byLayer: ReadonlyMap<string, HeatCell>
  /** By `${kind}|${layerKey}`. */
  cells: ReadonlyMap<string, HeatCell>
  /** Of what was measured and changed. */
  least: number
  most: number
}

export const cellKey = (kind: string, layer: number | null): string => `${kind}|${layerKey(layer)}`

interface Sums {
  deltas: number
  norms: number
  measured: boolean
  tensors: number
  changed: number
}

function add(sums: Map<string, Sums>, key: string, tensor: TensorComparison): void {
  const sum = sums.get(key) ?? { deltas: 0, norms: 0, measured: false, tensors: 0, changed: 0 }
  sums.set(key, sum)
  sum.tensors += 1
  if (tensor.status !== 'equal') sum.changed += 1
  const { norm, relative_change: change } = tensor
  if (norm === null || change === null) return
  sum.measured = true
  sum.norms += norm * norm
  sum.deltas += (change * norm) ** 2
}

function finish(sums: Map<string, Sums>): Map<string, HeatCell> {
  const cells = new Map<string, HeatCell>()
  for (const [key, { deltas, norms, measured, tensors, changed }] of sums) {
    const change = measured ? (norms > 0 ? Math.sqrt(deltas / norms) : 0) : null
    cells.set(key, { change, tensors, changed })
  }
  return cells
}

export function buildHeatMap(tensors: TensorComparison[]): HeatMap {
  const layerSums = new Map<string, Sums>()
  const cellSums = new Map<string, Sums>()
  const numbers = new Set<number>()
  const kinds = new Set<string>()
  let outside = false
  for (const tensor of tensors) {
    if (tensor.layer === null) outside = true
    else numbers.add(tensor.layer)
    kinds.add(tensor.kind)
    add(layerSums, layerKey(tensor.layer), tensor)
    add(cellSums, cellKey(tensor.kind, tensor.layer), tensor)
  }
  const cells = finish(cellSums)
  const byLayer = finish(layerSums)
  const measured = [...cells.values(), ...byLayer.values()].flatMap(({ change }) =>
    change !== null && change > 0 ? [change] : [],
  )
  return {
    layers: [...[...numbers].sort((a, b) => a - b), ...(outside ? [null] : [])],
    kinds: [...kinds].sort(),
    byLayer,
    cells,
    least: measured.reduce((a, b) => Math.min(a, b), Infinity),
    most: measured.reduce((a, b) => Math.max(a, b), 0),
  }
}

/** How hot a change is, 0 to 1, by its magnitude: changes differ by factors, not by sums. */
export function heat(change: number | null, { least, most }: HeatMap): number {
  if (change === null || change <= 0) return 0
  if (most <= least * 1.05) return 0.6
  return 0.08 + 0.92 * (Math.log(change / least) / Math.log(most / least))
}

export interface Bin {
  /** The relative changes that it counts: from (inclusive) and to. */
  from: number
  to: number
  count: number
}

const BINS_PER_DECADE = 3

/** How many tensors changed by how much, in steps of a third of a decade. */
export function countChanges(tensors: TensorComparison[]): { bins: Bin[]; equal: number } {
  const steps: number[] = []
  let equal = 0
  for (const { relative_change: change, status } of tensors) {
    if (status === 'equal') equal += 1
    else if (change !== null && change > 0) {
      steps.push(Math.floor(Math.log10(change) * BINS_PER_DECADE + 1e-9))
    }
  }
  if (steps.length === 0) return { bins: [], equal }
  const first = steps.reduce((a, b) => Math.min(a, b))
  const last = steps.reduce((a, b) => Math.max(a, b))
  const bins = Array.from({ length: last - first + 1 }, (_, index) => ({
    from: 10 ** ((first + index) / BINS_PER_DECADE),
    to: 10 ** ((first + index + 1) / BINS_PER_DECADE),
    count: 0,
  }))
  for (const step of steps) {
    const bin = bins[step - first]
    if (bin) bin.count += 1
  }
  return { bins, equal }
}

import { formatWords } from '@/strings/format'

import type { TreeNode } from './layout'

/** What the way from the root means: generations, change of the weights, or time of arrival. */
export type AxisKind = 'depth' | 'distance' | 'date'

export interface AxisScale {
  kind: AxisKind
  /** The values at both ends. */
  from: number
  to: number
  /** Where a node stands on it. */
  valueOf: (node: TreeNode) => number
  /** The layout's units for one of the value, and for the first one; set by the placement. */
  unit: number
  start: number
}

export interface Tick {
  value: number
  label: string
}

const dateOf = (node: TreeNode): number =>
  node.model ? Date.parse(node.model.created_at) : Number.NaN

/** Ghosts and groups have no date of their own: the earliest of what they stand for. */
function makeDates(nodes: TreeNode[]): (node: TreeNode) => number {
  const dates = new Map<TreeNode, number>()
  for (let index = nodes.length - 1; index >= 0; index -= 1) {
    const node = nodes[index]
    if (!node) continue
    let date = dateOf(node)
    if (node.more) {
      date = Math.min(...node.more.map((member) => Date.parse(member.model?.created_at ?? '')))
    }
    if (Number.isNaN(date)) {
      date = Math.min(...node.children.map((child) => dates.get(child) ?? Infinity))
    }
    dates.set(node, date)
  }
  const known = [...dates.values()].filter(Number.isFinite)
  const first = known.reduce((least, each) => Math.min(least, each), Infinity)
  return (node) => {
    const date = dates.get(node)
    return date !== undefined && Number.isFinite(date) ? date : first
  }
}

export function measureAxis(kind: AxisKind, nodes: TreeNode[]): AxisScale {
  const valueOf =
    kind === 'depth'
      ? (node: TreeNode) => node.depth
      : kind === 'distance'
        ? (node: TreeNode) => node.distance
        : makeDates(nodes)
  let from = Infinity
  let to = -Infinity
  for (const node of nodes) {
    const value = valueOf(node)
    if (value < from) from = value
    if (value > to) to = value
  }
  return nodes.length > 0
    ? { kind, from, to, valueOf, unit: 1, start: 0 }
    : { kind, from: 0, to: 0, valueOf, unit: 1, start: 0 }
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TIME_STEPS = [
  1000,
  5000,
  15_000,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  91 * DAY,
  182 * DAY,
  365 * DAY,
]

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw))
  const factor = [1, 2, 5, 10].find((each) => each * power >= raw) ?? 10
  return factor * power
}

function makeTimeLabel(step: number): (value: number) => string {
  const options: Intl.DateTimeFormatOptions =
    step >= 30 * DAY
      ? { month: 'short', year: 'numeric' }
      : step >= DAY
        ? { day: 'numeric', month: 'short' }
        : step >= MINUTE
          ? { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }
          : { hour: '2-digit', minute: '2-digit', second: '2-digit' }
  const format = new Intl.DateTimeFormat(formatWords.locale, options)
  return (value) => format.format(value)
}

/** Round values along the scale, at most about `most` of them. */
export function chooseTicks({ kind, from, to }: AxisScale, most: number): Tick[] {
  if (kind === 'depth' || !(to > from) || most < 1) return []
  const raw = (to - from) / most
  const step =
    kind === 'date'
      ? (TIME_STEPS.find((each) => each >= raw) ?? 365 * DAY * Math.ceil(raw / (365 * DAY)))
      : roundStep(raw)
  const digits = Math.max(0, -Math.floor(Math.log10(step * 100)))
  const label =
    kind === 'date' ? makeTimeLabel(step) : (value: number) => `${(value * 100).toFixed(digits)}%`
  const ticks: Tick[] = []
  for (let index = Math.ceil(from / step); index * step <= to * (1 + 1e-9); index += 1) {
    ticks.push({ value: index * step, label: label(index * step) })
  }
  return ticks
}

import { hierarchy, tree as tidyTree } from 'd3-hierarchy'

import type { AxisScale } from './axis'
import type { NodeSize, TreeNode } from './layout'

/** Three ways to place a tree. Each sets x and y (and angle) of the nodes that it is given. */

interface Placed {
  /** With the gap between columns that was chosen, where there are columns. */
  size?: NodeSize
  pitch: number
  axis: AxisScale
}

const WANTED_ASPECT = 1.5
/** A row of one name beside its dot. */
const ROW = 27
/** Between neighbours on the outermost circle, and between circles. */
const ARC = 22
const LEAST_RING = 120

/** The column gap that brings the whole drawing near the shape of a screen. */
export function chooseColumnGap(rows: number, columns: number, size: NodeSize): number {
  const height = rows * (size.height + size.rowGap)
  const gap = (height * WANTED_ASPECT) / Math.max(columns, 1) - size.width
  return Math.min(Math.max(gap, size.columnGap), size.widestGap)
}

const DEPTH: AxisScale = {
  kind: 'depth',
  from: 0,
  to: 0,
  valueOf: (node) => node.depth,
  unit: 1,
  start: 0,
}

/**
 * A tidy tree (Reingold-Tilford, as d3-hierarchy computes it), one column per generation. Several
 * tops get an invisible root.
 */
export function placeColumns(tops: TreeNode[], wanted: NodeSize): Placed {
  const root = hierarchy<{ children: TreeNode[] }>(
    { children: tops },
    (node) => node.children as { children: TreeNode[] }[],
  )
  let leaves = 0
  root.each((point) => {
    if (!point.children) leaves += 1
  })
  const size = { ...wanted, columnGap: chooseColumnGap(leaves, root.height, wanted) }
  const pitch = size.height + size.rowGap
  const place = tidyTree<{ children: TreeNode[] }>()
    .nodeSize([pitch, size.width + size.columnGap])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1.25))
  place(root).each((point) => {
    if (point.depth === 0) return
    const node = point.data as TreeNode
    node.x = (point.depth - 1) * (size.width + size.columnGap)
    node.y = point.x
  })
  return { size, pitch, axis: DEPTH }
}

/**
 * Gives every node a row of its own, a parent's amid its children's. Where the way from the root is
 * a measure, parent and child can stand at nearly the same x and need rows of their own.
 */
function orderRows(tops: TreeNode[]): TreeNode[] {
  const rows: TreeNode[] = []
  const open: { node: TreeNode; entered: boolean }[] = []
  const push = (nodes: TreeNode[]) => {
    for (let index = nodes.length - 1; index >= 0; index -= 1) {
      const node = nodes[index]
      if (node) open.push({ node, entered: false })
    }
  }
  push(tops)
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, entered } = next
    if (entered || node.children.length === 0) {
      rows.push(node)
      continue
    }
    const middle = Math.floor(node.children.length / 2)
    push(node.children.slice(middle))
    open.push({ node, entered: true })
    push(node.children.slice(0, middle))
  }
  return rows
}

export function placeRows(tops: TreeNode[], nodes: TreeNode[], axis: AxisScale): Placed {
  const rows = orderRows(tops)
  const width = Math.min(Math.max(rows.length * ROW * WANTED_ASPECT, 880), 8000)
  const unit = axis.to > axis.from ? width / (axis.to - axis.from) : 0
  rows.forEach((node, row) => {
    node.y = row * ROW
  })
  for (const node of nodes) node.x = (axis.valueOf(node) - axis.from) * unit
  return { pitch: ROW, axis: { ...axis, unit } }
}

/** Around the root: the angle keeps subtrees together, the radius is the way from the root. */
export function placeRadial(tops: TreeNode[], nodes: TreeNode[], axis: AxisScale): Placed {
  const measured = axis.kind !== 'depth'
  const places = measured ? orderRows(tops) : nodes.filter((node) => node.children.length === 0)
  const turn = (2 * Math.PI) / Math.max(places.length, 1)
  places.forEach((node, index) => {
    node.angle = index * turn - Math.PI / 2
  })
  if (!measured) {
    // Children come after their parents in the list: from its end, all are known.
    for (let index = nodes.length - 1; index >= 0; index -= 1) {
      const node = nodes[index]
      const first = node?.children[0]
      const last = node?.children.at(-1)
      if (node && first && last) node.angle = (first.angle + last.angle) / 2
    }
  }
  // Several tops stand on a first circle: one at the centre would hide the others.
  const inner = tops.length > 1 ? 1 : 0
  const steps = measured ? 4 : Math.max(axis.to + inner, 1)
  const outer = Math.max((places.length * ARC) / (2 * Math.PI), steps * LEAST_RING)
  const span = axis.to - axis.from
  const first = measured && inner > 0 ? outer / 8 : 0
  const unit = measured ? (span > 0 ? (outer - first) / span : 0) : outer / steps
  for (const node of nodes) {
    const radius = measured
      ? first + (axis.valueOf(node) - axis.from) * unit
      : (node.depth + inner) * unit
    node.x = radius * Math.cos(node.angle)
    node.y = radius * Math.sin(node.angle)
  }
  return { pitch: ARC, axis: { ...axis, unit, start: first } }
}

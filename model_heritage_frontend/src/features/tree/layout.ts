import type { Edge, FamilyTree, Ghost, Model } from '@/lib/types'

import { buildGenealogy, type Genealogy, type Member } from './genealogy'
import { placeColumns, placeRadial, placeRows } from './place'
import { measureAxis, type AxisKind, type AxisScale } from './axis'
import { chooseVisible, SHOW_ALL, type Folding } from './visible'

/** A model, a ghost or a group of siblings at its place; `y` grows downwards. */
export interface TreeNode {
  id: string
  model: Model | null
  ghost: Ghost | null
  edge: Edge | null
  name: string
  parent: TreeNode | null
  children: TreeNode[]
  depth: number
  distance: number
  /** How many descend from it, shown or not. */
  below: number
  /** How many of them are folded away; 0 while they are shown. */
  folded: number
  /** The siblings that a "+37" stands for; null for everything else. */
  more: Member[] | null
  x: number
  y: number
  /** Radial only: the direction from the centre, in radians. */
  angle: number
}

export interface TreeLink {
  source: TreeNode
  target: TreeNode
  /** null between a ghost and its child: nothing was measured there. */
  edge: Edge | null
  /** False for the further parents of a merge. */
  main: boolean
}

export interface NodeSize {
  width: number
  height: number
  /** Free space between columns, and between rows. */
  columnGap: number
  /** A tall family's columns move apart up to this: else it would be a thin strip, zoomed out. */
  widestGap: number
  rowGap: number
}

/** Columns of cards by generation, rows along a scale, or circles around the root. */
export type Arrangement = 'columns' | 'rows' | 'radial'

export interface TreeLayout {
  arrangement: Arrangement
  nodes: TreeNode[]
  links: TreeLink[]
  byId: ReadonlyMap<string, TreeNode>
  size: NodeSize
  bounds: Bounds
  /** The distance between neighbours: what decides how much can be written. */
  pitch: number
  axis: AxisScale
}

export interface Bounds {
  left: number
  top: number
  right: number
  bottom: number
}

export interface LayoutOptions {
  axis: AxisKind
  radial: boolean
  folding: Folding
}

export const ROOMY: NodeSize = { width: 188, height: 42, columnGap: 72, widestGap: 200, rowGap: 14 }
export const COMPACT: NodeSize = {
  width: 148,
  height: 40,
  columnGap: 44,
  widestGap: 160,
  rowGap: 12,
}
/** For phones, where the width is what limits the scale. */
export const NARROW: NodeSize = { width: 132, height: 40, columnGap: 28, widestGap: 90, rowGap: 12 }

export const DEFAULT_LAYOUT: LayoutOptions = { axis: 'depth', radial: false, folding: SHOW_ALL }

export const nodeName = (node: TreeNode): string => node.name

/** How many children a node has, those behind a "+37" included. */
export const countChildren = (node: TreeNode): number =>
  node.children.reduce((sum, child) => sum + (child.more?.length ?? 1), 0)

/** Lays out a family in full, from left (root) to right. */
export const layoutTree = (tree: FamilyTree, size: NodeSize = ROOMY): TreeLayout =>
  layoutGenealogy(buildGenealogy(tree), size, DEFAULT_LAYOUT)

/** Places what is to be seen of a family. */
export function layoutGenealogy(
  genealogy: Genealogy,
  size: NodeSize,
  { axis, radial, folding }: LayoutOptions,
): TreeLayout {
  const tops = chooseVisible(genealogy, folding)
  const nodes: TreeNode[] = []
  const open = [...tops].reverse()
  for (let node = open.pop(); node; node = open.pop()) {
    nodes.push(node)
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index]
      if (child) open.push(child)
    }
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const scale = measureAxis(axis, nodes)
  const placed = radial
    ? placeRadial(tops, nodes, scale)
    : axis === 'depth'
      ? placeColumns(tops, size)
      : placeRows(tops, nodes, scale)
  const arrangement = radial ? 'radial' : axis === 'depth' ? 'columns' : 'rows'
  return {
    arrangement,
    nodes,
    links: makeLinks(genealogy.tree, byId, nodes),
    byId,
    size: placed.size ?? size,
    bounds: findBounds(nodes, arrangement, placed.size ?? size),
    pitch: placed.pitch,
    axis: placed.axis,
  }
}

function makeLinks(
  tree: FamilyTree,
  byId: ReadonlyMap<string, TreeNode>,
  nodes: TreeNode[],
): TreeLink[] {
  const links: TreeLink[] = []
  for (const target of nodes) {
    if (target.parent) links.push({ source: target.parent, target, edge: target.edge, main: true })
  }
  for (const edge of tree.edges) {
    if (edge.main) continue
    const source = byId.get(edge.parent)
    const target = byId.get(edge.child)
    if (source && target) links.push({ source, target, edge, main: false })
  }
  return links
}

/** Room for the names of the outermost, where they stand beside dots. */
const NAME_ROOM = 110

function findBounds(nodes: TreeNode[], arrangement: Arrangement, size: NodeSize): Bounds {
  if (nodes.length === 0) return { left: 0, top: 0, right: 0, bottom: 0 }
  const columns = arrangement === 'columns'
  const before = columns ? size.width / 2 : arrangement === 'radial' ? NAME_ROOM : 24
  const after = columns ? size.width / 2 : NAME_ROOM
  const beside = columns ? size.height / 2 : arrangement === 'radial' ? NAME_ROOM : 24
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const { x, y } of nodes) {
    if (x < bounds.left) bounds.left = x
    if (x > bounds.right) bounds.right = x
    if (y < bounds.top) bounds.top = y
    if (y > bounds.bottom) bounds.bottom = y
  }
  return {
    left: bounds.left - before,
    right: bounds.right + after,
    top: bounds.top - beside,
    bottom: bounds.bottom + beside,
  }
}

/** Where a node's dot is: of a card at its left edge, so that a name has the card's width beside it. */
export const dotX = (node: TreeNode, layout: Pick<TreeLayout, 'arrangement' | 'size'>): number =>
  layout.arrangement === 'columns' ? node.x - layout.size.width / 2 + 16 : node.x

/** The ids of a node, of everything above it and of everything below it. */
export function findKin(layout: TreeLayout, id: string): Set<string> {
  const start = layout.byId.get(id)
  const kin = new Set<string>()
  if (!start) return kin
  for (let node: TreeNode | null = start; node; node = node.parent) kin.add(node.id)
  const below = [...start.children]
  for (let node = below.pop(); node; node = below.pop()) {
    kin.add(node.id)
    below.push(...node.children)
  }
  for (const link of layout.links) {
    if (!link.main && link.target.id === id) kin.add(link.source.id)
    if (!link.main && link.source.id === id) kin.add(link.target.id)
  }
  return kin
}

export type Step = 'parent' | 'child' | 'previous' | 'next'

/** Where an arrow key leads from a node; null when there is nothing in that direction. */
export function stepFrom(layout: TreeLayout, id: string, step: Step): TreeNode | null {
  const node = layout.byId.get(id)
  if (!node) return null
  if (step === 'parent') return node.parent
  if (step === 'child') return node.children[Math.floor((node.children.length - 1) / 2)] ?? null
  // The list is in the order of the drawing, so of one generation it is from top to bottom.
  const row = layout.nodes.filter((other) => other.depth === node.depth)
  return row[row.indexOf(node) + (step === 'next' ? 1 : -1)] ?? null
}

/**
 * The node whose card, or dot where there are no cards, is at a point of the layout. `slack` is how
 * far from a dot is near enough, `aspect` the scale across in scales down.
 */
export function findNodeAt(
  layout: TreeLayout,
  x: number,
  y: number,
  { cards, slack, aspect = 1 }: { cards: boolean; slack: number; aspect?: number },
): TreeNode | null {
  let best: TreeNode | null = null
  let least = slack * slack
  for (const node of layout.nodes) {
    const dy = y - node.y
    if (cards) {
      const { width, height } = layout.size
      if (Math.abs(dy) <= height / 2 && Math.abs(x - node.x) <= width / 2) return node
    } else if (Math.abs(dy) <= slack) {
      const dx = (x - dotX(node, layout)) * aspect
      const far = dx * dx + dy * dy
      if (far <= least) {
        least = far
        best = node
      }
    }
  }
  return best
}

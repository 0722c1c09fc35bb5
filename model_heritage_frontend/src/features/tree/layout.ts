import { hierarchy, tree as tidyTree } from 'd3-hierarchy'

import type { Edge, FamilyTree, Ghost, Model } from '@/lib/types'

/** A model or a ghost at its place. `x` grows to the right (away from the root), `y` downwards. */
export interface TreeNode {
  id: string
  /** null for a ghost: an ancestor that must have existed but is not here. */
  model: Model | null
  ghost: Ghost | null
  /** The edge from its main parent; null for a top and for the child of a ghost. */
  edge: Edge | null
  parent: TreeNode | null
  children: TreeNode[]
  depth: number
  x: number
  y: number
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

export interface TreeLayout {
  nodes: TreeNode[]
  links: TreeLink[]
  byId: ReadonlyMap<string, TreeNode>
  size: NodeSize
  bounds: { left: number; top: number; right: number; bottom: number }
}

const WANTED_ASPECT = 1.5

export const ROOMY: NodeSize = { width: 188, height: 42, columnGap: 72, widestGap: 440, rowGap: 14 }
export const COMPACT: NodeSize = {
  width: 148,
  height: 40,
  columnGap: 44,
  widestGap: 300,
  rowGap: 12,
}
/** For phones, where the width is what limits the scale. */
export const NARROW: NodeSize = { width: 132, height: 40, columnGap: 28, widestGap: 90, rowGap: 12 }

const collator = new Intl.Collator('en', { numeric: true })

export const nodeName = (node: TreeNode): string => node.model?.name ?? 'Missing ancestor'

function makeNodes(tree: FamilyTree): Map<string, TreeNode> {
  const blank = { edge: null, parent: null, children: [], depth: 0, x: 0, y: 0 }
  const nodes = new Map<string, TreeNode>()
  for (const model of tree.nodes) {
    nodes.set(model.id, { ...blank, id: model.id, model, ghost: null, children: [] })
  }
  for (const ghost of tree.ghosts) {
    nodes.set(ghost.id, { ...blank, id: ghost.id, model: null, ghost, children: [] })
  }
  return nodes
}

function connect(child: TreeNode, parent: TreeNode, edge: Edge | null): void {
  child.parent = parent
  child.edge = edge
  parent.children.push(child)
}

/** Joins nodes by main edges and ghosts; returns the tops (nodes without a parent) in a stable order. */
function connectNodes(tree: FamilyTree, nodes: Map<string, TreeNode>): TreeNode[] {
  for (const edge of tree.edges) {
    const child = nodes.get(edge.child)
    const parent = nodes.get(edge.parent)
    if (edge.main && child && parent && !child.parent) connect(child, parent, edge)
  }
  for (const ghost of tree.ghosts) {
    const parent = nodes.get(ghost.id)
    const above = ghost.parent === null ? undefined : nodes.get(ghost.parent)
    if (parent && above) connect(parent, above, null)
    for (const id of ghost.children) {
      const child = nodes.get(id)
      if (child && parent && !child.parent) connect(child, parent, null)
    }
  }
  const byName = (a: TreeNode, b: TreeNode) =>
    collator.compare(nodeName(a), nodeName(b)) || collator.compare(a.id, b.id)
  for (const node of nodes.values()) node.children.sort(byName)
  return [...nodes.values()].filter((node) => !node.parent).sort(byName)
}

/**
 * Places a family from left (root) to right: a tidy tree over the main parents (Reingold-Tilford, as
 * d3-hierarchy computes it). A family with several tops gets an invisible root that is not returned.
 */
export function layoutTree(tree: FamilyTree, wanted: NodeSize = ROOMY): TreeLayout {
  const byId = makeNodes(tree)
  const tops = connectNodes(tree, byId)
  const invisible: TreeNode = {
    id: '',
    model: null,
    ghost: null,
    edge: null,
    parent: null,
    children: tops,
    depth: -1,
    x: 0,
    y: 0,
  }
  const root = hierarchy(invisible, (node) => node.children)
  const leaves = root.leaves().length
  const size = { ...wanted, columnGap: chooseColumnGap(leaves, root.height, wanted) }
  const place = tidyTree<TreeNode>()
    .nodeSize([size.height + size.rowGap, size.width + size.columnGap])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1.25))
  const nodes: TreeNode[] = []
  place(root).each((point) => {
    if (point.data === invisible) return
    point.data.depth = point.depth - 1
    point.data.x = (point.depth - 1) * (size.width + size.columnGap)
    point.data.y = point.x
    nodes.push(point.data)
  })
  return { nodes, links: makeLinks(tree, byId, nodes), byId, size, bounds: findBounds(nodes, size) }
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
    const source = byId.get(edge.parent)
    const target = byId.get(edge.child)
    if (!edge.main && source && target) links.push({ source, target, edge, main: false })
  }
  return links
}

function findBounds(nodes: TreeNode[], size: NodeSize): TreeLayout['bounds'] {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const node of nodes) {
    bounds.left = Math.min(bounds.left, node.x - size.width / 2)
    bounds.right = Math.max(bounds.right, node.x + size.width / 2)
    bounds.top = Math.min(bounds.top, node.y - size.height / 2)
    bounds.bottom = Math.max(bounds.bottom, node.y + size.height / 2)
  }
  return nodes.length > 0 ? bounds : { left: 0, top: 0, right: 0, bottom: 0 }
}

/** The column gap that brings the whole drawing near the shape of a screen. */
export function chooseColumnGap(rows: number, columns: number, size: NodeSize): number {
  const height = rows * (size.height + size.rowGap)
  const gap = (height * WANTED_ASPECT) / Math.max(columns, 1) - size.width
  return Math.min(Math.max(gap, size.columnGap), size.widestGap)
}

/** Where a node's dot is: at the left edge of its box, so that a name has the box's width beside it. */
export const dotX = (node: TreeNode, size: NodeSize): number => node.x - size.width / 2 + 16

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
  const row = layout.nodes.filter((other) => other.depth === node.depth).sort((a, b) => a.y - b.y)
  return row[row.indexOf(node) + (step === 'next' ? 1 : -1)] ?? null
}

/** The node whose box (or dot, when zoomed out) holds a point of the layout. */
export function findNodeAt(layout: TreeLayout, x: number, y: number, slack = 0): TreeNode | null {
  const { width, height } = layout.size
  return (
    layout.nodes.find(
      (node) =>
        Math.abs(x - node.x) <= width / 2 + slack && Math.abs(y - node.y) <= height / 2 + slack,
    ) ?? null
  )
}

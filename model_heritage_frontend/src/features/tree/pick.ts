import type { FamilyTree } from '@/lib/types'

import { layoutTree, type TreeNode } from './layout'

function countBelow(node: TreeNode): number {
  let count = 0
  const open = [...node.children]
  for (let next = open.pop(); next; next = open.pop()) {
    count += 1
    open.push(...next.children)
  }
  return count
}

/**
 * The part of a family that can be taken in at a glance: breadth first from the root, at most `most`
 * members, and of each member the few children with the most descendants.
 */
export function pickNearest(tree: FamilyTree, most: number, childrenEach: number): FamilyTree {
  const whole = layoutTree(tree)
  const kept = new Set<string>()
  const queue = whole.nodes
    .filter((node) => !node.parent)
    .sort((a, b) => countBelow(b) - countBelow(a) || a.y - b.y)
  for (const node of queue) {
    if (kept.size >= most) break
    kept.add(node.id)
    const heirs = [...node.children].sort((a, b) => countBelow(b) - countBelow(a) || a.y - b.y)
    queue.push(...heirs.slice(0, childrenEach))
  }
  return {
    ...tree,
    nodes: tree.nodes.filter((node) => kept.has(node.id)),
    edges: tree.edges.filter((edge) => kept.has(edge.parent) && kept.has(edge.child)),
    ghosts: tree.ghosts.filter((ghost) => kept.has(ghost.id)),
  }
}

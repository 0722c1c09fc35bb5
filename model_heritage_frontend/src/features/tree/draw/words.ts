import { formatPercent } from '@/lib/format'
import { RELATION_WORDS } from '@/lib/relations'
import { treeWords } from '@/strings/tree'

import type { TreeNode } from '../layout'

/** The small second line: what was done, and how sure that is. */
export function nodeCaption(node: TreeNode): string {
  if (node.more) return treeWords.node.group
  if (node.ghost) return treeWords.node.ghost(formatPercent(node.ghost.confidence))
  // How sure it is which copy came first says nothing: see describeOrigin.
  if (node.edge?.relation === 'duplicate') return RELATION_WORDS.duplicate.label
  if (node.edge?.evidence.stated_by != null) {
    return treeWords.node.stated(RELATION_WORDS[node.edge.relation].label)
  }
  if (node.edge) {
    return treeWords.node.sure(
      RELATION_WORDS[node.edge.relation].label,
      formatPercent(node.edge.confidence),
    )
  }
  if (node.parent) return treeWords.node.ghostChild
  return node.below > 0 ? treeWords.node.root : treeWords.node.noParent
}

/** What a screen reader says of a node. */
export function announceNode(node: TreeNode): string {
  const parent = node.parent ? treeWords.node.parent(node.parent.name) : ''
  const children =
    node.folded > 0
      ? treeWords.node.folded(node.folded)
      : node.children.length > 0
        ? treeWords.node.children(node.children.length)
        : ''
  return treeWords.node.announce(node.name, nodeCaption(node)) + parent + children
}

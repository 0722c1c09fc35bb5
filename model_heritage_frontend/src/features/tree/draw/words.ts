import { formatPercent, plural } from '@/lib/format'
import { RELATION_WORDS } from '@/lib/relations'

import type { TreeNode } from '../layout'

/** The small second line: what was done, and how sure that is. */
export function nodeCaption(node: TreeNode): string {
  if (node.more) return 'more without children'
  if (node.ghost) return `Possible, ${formatPercent(node.ghost.confidence)} sure`
  // How sure it is which copy came first says nothing: see describeOrigin.
  if (node.edge?.relation === 'duplicate') return RELATION_WORDS.duplicate.label
  if (node.edge?.evidence.stated_by != null) {
    return `${RELATION_WORDS[node.edge.relation].label} · stated`
  }
  if (node.edge) {
    return `${RELATION_WORDS[node.edge.relation].label} · ${formatPercent(node.edge.confidence)}`
  }
  if (node.parent) return 'Child of a missing ancestor'
  return node.below > 0 ? 'Root' : 'No parent here'
}

/** What a screen reader says of a node. */
export function announceNode(node: TreeNode): string {
  const parent = node.parent ? `, parent ${node.parent.name}` : ''
  const children =
    node.folded > 0
      ? `, ${plural(node.folded, 'descendant')} folded away`
      : node.children.length > 0
        ? `, ${plural(node.children.length, 'child', 'children')}`
        : ''
  return `${node.name}: ${nodeCaption(node)}${parent}${children}`
}

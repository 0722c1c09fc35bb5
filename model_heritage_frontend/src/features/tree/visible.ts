import { formatNumber } from '@/lib/format'

import { memberName, type Genealogy, type Member } from './genealogy'
import type { TreeNode } from './layout'

/** What of a family is shown; the rest is folded away and counted where it was. */
export interface Folding {
  /** The top of the part that is shown; null for all. */
  focus: string | null
  /** Members whose descendants are folded away. */
  folded: ReadonlySet<string>
  /** Parents whose large groups of childless children are shown in full. */
  opened: ReadonlySet<string>
  /** Whether every group is shown in full. */
  allSiblings: boolean
  /** Members that are never put into a group, such as the chosen one. */
  kept: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

export const SHOW_ALL: Folding = {
  focus: null,
  folded: NONE,
  opened: NONE,
  allSiblings: true,
  kept: NONE,
}

/** Families up to this size are shown in full: they fit a screen. */
const GROUP_FROM = 60
/** More childless siblings than this become some and a "+37". */
const MOST_SIBLINGS = 14
const SHOWN_SIBLINGS = 8

const groupId = (parent: string): string => `more:${parent}`

/** The parent whose group this id stands for; null for other ids. */
export const groupParent = (id: string): string | null =>
  id.startsWith('more:') ? id.slice('more:'.length) : null

function makeNode(member: Member, parent: TreeNode | null): TreeNode {
  return {
    id: member.id,
    model: member.model,
    ghost: member.ghost,
    edge: member.edge,
    name: memberName(member),
    parent,
    children: [],
    depth: parent ? parent.depth + 1 : 0,
    distance: member.distance,
    below: member.below,
    folded: 0,
    more: null,
    x: 0,
    y: 0,
    angle: 0,
  }
}

function makeGroup(members: Member[], parent: TreeNode): TreeNode {
  const distances = members.map((member) => member.distance)
  return {
    id: groupId(parent.id),
    model: null,
    ghost: null,
    edge: null,
    name: `+${formatNumber(members.length)}`,
    parent,
    children: [],
    depth: parent.depth + 1,
    distance: distances.reduce((sum, each) => sum + each, 0) / distances.length,
    below: 0,
    folded: 0,
    more: members,
    x: 0,
    y: 0,
    angle: 0,
  }
}

/** Splits children into those that are shown and those that a "+37" stands for. */
export function groupSiblings(
  children: Member[],
  kept: ReadonlySet<string>,
): [shown: Member[], grouped: Member[]] {
  const leaves = children.filter((child) => child.children.length === 0)
  if (leaves.length <= MOST_SIBLINGS) return [children, []]
  const grouped = new Set(leaves.slice(SHOWN_SIBLINGS).filter((leaf) => !kept.has(leaf.id)))
  return [
    children.filter((child) => !grouped.has(child)),
    children.filter((child) => grouped.has(child)),
  ]
}

/** The tops of what is shown, each with its visible descendants. */
export function chooseVisible(genealogy: Genealogy, folding: Folding): TreeNode[] {
  const focus = folding.focus === null ? undefined : genealogy.byId.get(folding.focus)
  const grouping =
    !folding.allSiblings && (focus ? focus.below + 1 : genealogy.members.length) > GROUP_FROM
  const tops: TreeNode[] = []
  const queue: [Member, TreeNode][] = []
  for (const member of focus ? [focus] : genealogy.tops) {
    const node = makeNode(member, null)
    tops.push(node)
    queue.push([member, node])
  }
  for (const [member, node] of queue) {
    if (member.children.length === 0) continue
    if (folding.folded.has(member.id)) {
      node.folded = member.below
      continue
    }
    const [shown, grouped] =
      grouping && !folding.opened.has(member.id)
        ? groupSiblings(member.children, folding.kept)
        : [member.children, []]
    for (const child of shown) {
      const below = makeNode(child, node)
      node.children.push(below)
      queue.push([child, below])
    }
    if (grouped.length > 0) node.children.push(makeGroup(grouped, node))
  }
  return tops
}

/** Ids of all that must not be folded for a member to be seen: its ancestors. */
export function findAncestors(genealogy: Genealogy, id: string): Set<string> {
  const above = new Set<string>()
  for (let each = genealogy.byId.get(id)?.parent; each; each = each.parent) above.add(each.id)
  return above
}

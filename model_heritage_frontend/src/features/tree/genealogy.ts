import type { Edge, FamilyTree, Ghost, Model } from '@/lib/types'
import { treeWords } from '@/strings/tree'

/** A member of a family, or a ghost, with its place in the tree of main parents. */
export interface Member {
  id: string
  /** null for a ghost: an ancestor that must have existed but is not here. */
  model: Model | null
  ghost: Ghost | null
  /** The edge from its main parent; null for a top and for the child of a ghost. */
  edge: Edge | null
  parent: Member | null
  children: Member[]
  depth: number
  /** How many models and ghosts descend from it. */
  below: number
  /** The sum of the distances from its top, relative to the weights' size. */
  distance: number
}

/** A family as a tree: built once, and then drawn in many ways. */
export interface Genealogy {
  tree: FamilyTree
  byId: ReadonlyMap<string, Member>
  tops: Member[]
  /** Parents before children. */
  members: Member[]
}

export const memberName = (member: Pick<Member, 'model'>): string =>
  member.model?.name ?? treeWords.missing

/**
 * What names are sorted by: numbers by value, case aside. A key per name is some ten times faster
 * than comparing with a collator, which matters where thousands of siblings are sorted.
 */
export function sortKey(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'))
}

function makeMembers(tree: FamilyTree): Map<string, Member> {
  const members = new Map<string, Member>()
  const add = (id: string, model: Model | null, ghost: Ghost | null) => {
    members.set(id, {
      id,
      model,
      ghost,
      edge: null,
      parent: null,
      children: [],
      depth: 0,
      below: 0,
      distance: 0,
    })
  }
  for (const model of tree.nodes) add(model.id, model, null)
  for (const ghost of tree.ghosts) add(ghost.id, null, ghost)
  return members
}

function connect(child: Member, parent: Member, edge: Edge | null, distance: number): void {
  child.parent = parent
  child.edge = edge
  child.distance = distance
  parent.children.push(child)
}

function connectAll(tree: FamilyTree, members: Map<string, Member>): void {
  for (const edge of tree.edges) {
    const child = members.get(edge.child)
    const parent = members.get(edge.parent)
    if (edge.main && child && parent && !child.parent) connect(child, parent, edge, edge.distance)
  }
  for (const ghost of tree.ghosts) {
    const parent = members.get(ghost.id)
    const above = ghost.parent === null ? undefined : members.get(ghost.parent)
    if (parent && above) connect(parent, above, null, 0)
    ghost.children.forEach((id, index) => {
      const child = members.get(id)
      if (child && parent && !child.parent) {
        connect(child, parent, null, ghost.distances[index] ?? 0)
      }
    })
  }
}

function sortByName(members: Member[], keys: ReadonlyMap<Member, string>): Member[] {
  if (members.length < 2) return members
  return members.sort((a, b) => {
    const left = keys.get(a) ?? ''
    const right = keys.get(b) ?? ''
    if (left !== right) return left < right ? -1 : 1
    return a.id < b.id ? -1 : 1
  })
}

/** Joins nodes by main edges and ghosts, in an order that depends on names only. */
export function buildGenealogy(tree: FamilyTree): Genealogy {
  const byId = makeMembers(tree)
  connectAll(tree, byId)
  const keys = new Map<Member, string>()
  for (const member of byId.values()) keys.set(member, sortKey(memberName(member)))
  const tops = sortByName(
    [...byId.values()].filter((member) => !member.parent),
    keys,
  )
  const members: Member[] = [...tops]
  // The list grows while it is walked: breadth first.
  for (const member of members) {
    for (const child of sortByName(member.children, keys)) {
      child.depth = member.depth + 1
      child.distance += member.distance
      members.push(child)
    }
  }
  for (let index = members.length - 1; index >= 0; index -= 1) {
    const member = members[index]
    if (member?.parent) member.parent.below += member.below + 1
  }
  return { tree, byId, tops, members }
}

import type { FamilyTree } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

const MOST_NAMED = 2

const findParents = (tree: FamilyTree): Map<string, string> =>
  new Map(tree.edges.filter((edge) => edge.main).map((edge) => [edge.child, edge.parent]))

/** What differs between two trees of a family, in a sentence: which models have another parent. */
export function describeMoves(before: FamilyTree | undefined, after: FamilyTree): string {
  if (!before) return ''
  const names = new Map([...before.nodes, ...after.nodes].map((model) => [model.id, model.name]))
  const nameOf = (id: string | undefined) =>
    id === undefined ? correctionWords.moves.noParent : (names.get(id) ?? id)
  const was = findParents(before)
  const is = findParents(after)
  const here = new Set(after.nodes.map((model) => model.id))
  const moved = [...new Set([...was.keys(), ...is.keys()])].filter(
    (id) => here.has(id) && was.get(id) !== is.get(id),
  )
  if (moved.length === 0) return correctionWords.moves.none
  const told = moved
    .slice(0, MOST_NAMED)
    .map((id) => correctionWords.moves.move(nameOf(id), nameOf(was.get(id)), nameOf(is.get(id))))
  return correctionWords.moves.all(told, moved.length - told.length)
}

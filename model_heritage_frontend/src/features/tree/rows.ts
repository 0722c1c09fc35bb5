import type { Genealogy, Member } from './genealogy'

/** A line of the list: a member at its depth. */
export interface GridRow {
  member: Member
  level: number
  /** Among its siblings, from 1. */
  position: number
  siblings: number
  open: boolean
}

/** Larger families begin with only so many generations open. */
const OPEN_ROWS = 400

/** The members that are open when nobody has chosen: from the top, as many as are good to read. */
export function chooseOpen(genealogy: Genealogy): Set<string> {
  const open = new Set<string>()
  let rows = genealogy.tops.length
  for (const member of genealogy.members) {
    if (member.children.length === 0) continue
    if (rows + member.children.length > OPEN_ROWS && open.size > 0) break
    rows += member.children.length
    open.add(member.id)
  }
  return open
}

/** The rows in reading order, without what stands below closed ones. */
export function listRows(genealogy: Genealogy, open: ReadonlySet<string>): GridRow[] {
  const rows: GridRow[] = []
  const waiting: GridRow[] = []
  const push = (members: Member[], level: number) => {
    for (let index = members.length - 1; index >= 0; index -= 1) {
      const member = members[index]
      if (!member) continue
      waiting.push({
        member,
        level,
        position: index + 1,
        siblings: members.length,
        open: open.has(member.id),
      })
    }
  }
  push(genealogy.tops, 1)
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    rows.push(row)
    if (row.open) push(row.member.children, row.level + 1)
  }
  return rows
}

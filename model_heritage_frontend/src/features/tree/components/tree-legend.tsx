import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type Relation } from '@/lib/types'

import type { TreeLayout } from '../layout'

function Line({ color, dash }: { color: string; dash?: string }) {
  return (
    <svg width="22" height="8" aria-hidden className="shrink-0">
      <line x1="1" x2="21" y1="4" y2="4" stroke={color} strokeWidth="2.25" strokeDasharray={dash} />
    </svg>
  )
}

/** Explains the colours and dashes that occur in this family, and no others. */
export function TreeLegend({ layout }: { layout: TreeLayout }) {
  const used = new Set<Relation>()
  let furtherParents = false
  let stated = false
  for (const { edge, main } of layout.links) {
    if (edge) used.add(edge.relation)
    if (!main) furtherParents = true
    if (edge?.evidence.stated_by != null) stated = true
  }
  const ghosts = layout.nodes.some((node) => node.ghost)
  return (
    <ul
      aria-label="Legend"
      className="text-muted-foreground flex flex-wrap items-center gap-x-5 gap-y-1.5 text-xs"
    >
      {RELATIONS.filter((relation) => used.has(relation)).map((relation) => (
        <li key={relation} className="flex items-center gap-2">
          <Line
            color={relationColor(relation)}
            dash={relation === 'unresolved' ? '2 3' : undefined}
          />
          {RELATION_WORDS[relation].label}
        </li>
      ))}
      {furtherParents && (
        <li className="flex items-center gap-2">
          <Line color={relationColor('merge')} dash="5 4" />
          Further parent of a merge
        </li>
      )}
      {stated && (
        <li className="flex items-center gap-2">
          <svg width="12" height="12" aria-hidden className="text-foreground shrink-0">
            <path d="M6 1 11 6 6 11 1 6Z" fill="currentColor" />
          </svg>
          Stated by people
        </li>
      )}
      {ghosts && (
        <li className="flex items-center gap-2">
          <svg width="22" height="12" aria-hidden className="shrink-0">
            <rect
              x="1"
              y="1"
              width="20"
              height="10"
              rx="4"
              fill="none"
              stroke="currentColor"
              strokeDasharray="3 2"
            />
          </svg>
          Missing ancestor
        </li>
      )}
      {used.size > 0 && <li>Thicker lines are surer</li>}
    </ul>
  )
}

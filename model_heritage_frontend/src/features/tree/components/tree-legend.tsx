import type { ReactNode } from 'react'

import { relationColor } from '@/lib/relations'
import { treeWords } from '@/strings/tree'

import type { Colouring } from '../colouring'
import type { TreeLayout } from '../layout'

function Line({ color, dash }: { color: string; dash?: string | undefined }) {
  return (
    <svg width="22" height="8" aria-hidden className="shrink-0">
      <line x1="1" x2="21" y1="4" y2="4" stroke={color} strokeWidth="2.25" strokeDasharray={dash} />
    </svg>
  )
}

function Entry({ mark, children }: { mark: ReactNode; children: ReactNode }) {
  return (
    <li className="flex items-center gap-2">
      {mark}
      {children}
    </li>
  )
}

/** Explains the colours and dashes that occur in this family, and no others. */
export function TreeLegend({ layout, colouring }: { layout: TreeLayout; colouring: Colouring }) {
  const furtherParents = layout.links.some((link) => !link.main)
  const stated = layout.links.some((link) => link.edge?.evidence.stated_by != null)
  const ghosts = layout.nodes.some((node) => node.ghost)
  const doubtful = layout.links.some(
    ({ edge }) => edge && (!edge.resolved || edge.relation === 'unresolved'),
  )
  return (
    <ul
      aria-label={treeWords.legend.label}
      className="text-muted-foreground flex flex-wrap items-center gap-x-5 gap-y-1.5 text-xs"
    >
      {colouring.legend.map(({ label, colour }) => (
        <Entry key={label} mark={<Line color={colour} />}>
          {label}
        </Entry>
      ))}
      {furtherParents && (
        <Entry mark={<Line color={relationColor('merge')} dash="5 4" />}>
          {treeWords.legend.further}
        </Entry>
      )}
      {doubtful && (
        <Entry mark={<Line color={relationColor('unresolved')} dash="2 3" />}>
          {treeWords.legend.undecided}
        </Entry>
      )}
      {stated && (
        <Entry
          mark={
            <svg width="12" height="12" aria-hidden className="text-foreground shrink-0">
              <path d="M6 1 11 6 6 11 1 6Z" fill="currentColor" />
            </svg>
          }
        >
          {treeWords.legend.stated}
        </Entry>
      )}
      {ghosts && (
        <Entry
          mark={
            <svg width="12" height="12" aria-hidden className="shrink-0">
              <circle
                cx="6"
                cy="6"
                r="4.5"
                fill="none"
                stroke="currentColor"
                strokeDasharray="3 2"
              />
            </svg>
          }
        >
          {treeWords.missing}
        </Entry>
      )}
      {layout.links.some((link) => link.edge) && <li>{treeWords.legend.thicker}</li>}
    </ul>
  )
}

import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type FamilyTree } from '@/lib/types'

import { layoutTree, nodeName, type NodeSize } from '../layout'

const SIZE: NodeSize = { width: 26, height: 20, columnGap: 92, rowGap: 10 }
const LABEL_ROOM = 118
const MOST = 26

/** The part of a family nearest its root, breadth first, small enough to be taken in at a glance. */
export function pickNearest(tree: FamilyTree, most: number = MOST): FamilyTree {
  const whole = layoutTree(tree)
  const kept = new Set(
    [...whole.nodes]
      .sort((a, b) => a.depth - b.depth || a.y - b.y)
      .slice(0, most)
      .map((node) => node.id),
  )
  return {
    ...tree,
    nodes: tree.nodes.filter((node) => kept.has(node.id)),
    edges: tree.edges.filter((edge) => kept.has(edge.parent) && kept.has(edge.child)),
    ghosts: tree.ghosts.filter((ghost) => kept.has(ghost.id)),
  }
}

const shorten = (name: string): string => (name.length > 17 ? `${name.slice(0, 16)}…` : name)

/** A small drawing of a family: for looking at, not for working with. */
export function TreePicture({ tree, label }: { tree: FamilyTree; label: string }) {
  const layout = layoutTree(pickNearest(tree), SIZE)
  const { left, right, top, bottom } = layout.bounds
  const width = right - left + LABEL_ROOM
  const height = Math.max(bottom - top + 24, 150)
  const used = RELATIONS.filter((relation) =>
    layout.links.some((link) => link.edge?.relation === relation),
  )
  return (
    <figure>
      <svg
        viewBox={`${left - 4} ${(top + bottom - height) / 2} ${width} ${height}`}
        className="h-auto max-h-90 w-full"
        role="img"
        aria-label={label}
      >
        {layout.links.map(({ source, target, edge, main }, index) => {
          const middle = (source.x + target.x) / 2
          return (
            <path
              key={`${source.id}>${target.id}`}
              d={`M${source.x},${source.y} C${middle},${source.y} ${middle},${target.y} ${target.x},${target.y}`}
              fill="none"
              stroke={relationColor(edge?.relation ?? 'unresolved')}
              strokeWidth={1.2 + (edge?.confidence ?? 0.3)}
              strokeOpacity={0.45 + 0.5 * (edge?.confidence ?? 0.4)}
              strokeDasharray={main && edge?.resolved ? undefined : '4 4'}
              className="animate-fade"
              style={{ animationDelay: `${120 + index * 35}ms`, animationDuration: '500ms' }}
            />
          )
        })}
        {layout.nodes.map((node, index) => (
          <g
            key={node.id}
            className="animate-fade"
            style={{ animationDelay: `${80 + index * 35}ms`, animationDuration: '400ms' }}
          >
            <circle
              cx={node.x}
              cy={node.y}
              r={node.parent ? 4.5 : 6.5}
              fill={
                node.ghost
                  ? 'var(--card)'
                  : node.edge
                    ? relationColor(node.edge.relation)
                    : 'var(--primary)'
              }
              stroke={node.ghost ? 'var(--relation-unresolved)' : 'var(--card)'}
              strokeWidth={node.ghost ? 1.5 : 2}
              strokeDasharray={node.ghost ? '3 2' : undefined}
            />
            <text
              x={node.x + (node.parent ? 9 : 11)}
              y={node.y}
              dominantBaseline="central"
              className="fill-foreground text-[10.5px] font-medium [paint-order:stroke]"
              stroke="var(--card)"
              strokeWidth={3}
              strokeLinejoin="round"
            >
              {shorten(nodeName(node))}
            </text>
          </g>
        ))}
      </svg>
      {used.length > 0 && (
        <figcaption className="text-muted-foreground mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs">
          {used.map((relation) => (
            <span key={relation} className="flex items-center gap-1.5">
              <span
                aria-hidden
                className="h-0.5 w-3.5 rounded-full"
                style={{ background: relationColor(relation) }}
              />
              {RELATION_WORDS[relation].label}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  )
}

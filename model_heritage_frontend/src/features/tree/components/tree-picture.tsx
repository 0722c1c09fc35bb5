import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type FamilyTree } from '@/lib/types'

import { layoutTree, nodeName, type NodeSize, type TreeNode } from '../layout'

const SIZE: NodeSize = { width: 20, height: 22, columnGap: 104, widestGap: 104, rowGap: 8 }
const LEAF_LABEL = 124
const MOST = 22

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

const shorten = (name: string, most: number): string =>
  name.length > most ? `${name.slice(0, most - 1)}…` : name

const appear = (index: number) => ({
  animationDelay: `${80 + index * 30}ms`,
  animationDuration: '450ms',
})

function Label({ node }: { node: TreeNode }) {
  // Inner nodes carry their name above, where no edge runs; leaves to the right.
  const inner = node.children.length > 0
  const top = !node.parent
  return (
    <text
      x={inner ? (top ? node.x - 7 : node.x) : node.x + 9}
      y={inner ? node.y - 13 : node.y}
      textAnchor={inner && !top ? 'middle' : 'start'}
      dominantBaseline="central"
      className="fill-foreground text-[11.5px] font-medium [paint-order:stroke]"
      stroke="var(--card)"
      strokeWidth={4}
      strokeLinejoin="round"
    >
      {shorten(nodeName(node), inner ? 15 : 18)}
    </text>
  )
}

function Dot({ node }: { node: TreeNode }) {
  const color = node.edge ? relationColor(node.edge.relation) : 'var(--primary)'
  return (
    <circle
      cx={node.x}
      cy={node.y}
      r={node.parent ? 4.5 : 6.5}
      fill={node.ghost ? 'var(--card)' : color}
      stroke={node.ghost ? 'var(--relation-unresolved)' : 'var(--card)'}
      strokeWidth={node.ghost ? 1.5 : 2}
      strokeDasharray={node.ghost ? '3 2' : undefined}
    />
  )
}

/** A small drawing of a family: for looking at, not for working with. */
export function TreePicture({ tree, label }: { tree: FamilyTree; label: string }) {
  const layout = layoutTree(pickNearest(tree), SIZE)
  const { left, right, top, bottom } = layout.bounds
  const width = right - left + LEAF_LABEL
  const height = Math.max(bottom - top + 24, 150)
  const used = RELATIONS.filter((relation) =>
    layout.links.some((link) => link.edge?.relation === relation),
  )
  return (
    <figure>
      <svg
        viewBox={`${left - 2} ${(top + bottom - height) / 2} ${width} ${height}`}
        className="mx-auto h-auto max-h-96 w-full"
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
              style={appear(index + 1)}
            />
          )
        })}
        {layout.nodes.map((node, index) => (
          <g key={node.id} className="animate-fade" style={appear(index)}>
            <Dot node={node} />
            <Label node={node} />
          </g>
        ))}
      </svg>
      {used.length > 0 && (
        <figcaption className="text-muted-foreground mt-4 flex flex-wrap gap-x-4 gap-y-1 text-xs">
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

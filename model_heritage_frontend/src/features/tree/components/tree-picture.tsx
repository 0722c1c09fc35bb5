import { useMedia } from '@/hooks/use-media'

import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type FamilyTree } from '@/lib/types'
import { treeWords } from '@/strings/tree'

import { layoutTree, nodeName, type NodeSize, type TreeNode } from '../layout'
import { pickNearest } from '../pick'
import { Dot, Line } from './tree-marks'

interface Scale {
  size: NodeSize
  /** Room for the names of the rightmost leaves, and the letters that fit. */
  labelRoom: number
  letters: number
  most: number
}

const WIDE: Scale = {
  size: { width: 20, height: 22, columnGap: 104, widestGap: 104, rowGap: 8 },
  labelRoom: 124,
  letters: 18,
  most: 18,
}
const SMALL: Scale = {
  size: { width: 20, height: 22, columnGap: 66, widestGap: 66, rowGap: 8 },
  labelRoom: 92,
  letters: 13,
  most: 11,
}
const CHILDREN_EACH = 5

const shorten = (name: string, most: number): string =>
  name.length > most ? `${name.slice(0, most - 1)}…` : name

const appear = (index: number) => ({
  animationDelay: `${80 + index * 30}ms`,
  animationDuration: '450ms',
})

function Label({ node, letters }: { node: TreeNode; letters: number }) {
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
      {shorten(nodeName(node), inner ? letters - 3 : letters)}
    </text>
  )
}

/** A small drawing of a family: for looking at, not for working with. */
export function TreePicture({ tree, label }: { tree: FamilyTree; label: string }) {
  const scale = useMedia('(max-width: 640px)') ? SMALL : WIDE
  const picked = pickNearest(tree, scale.most, CHILDREN_EACH)
  const layout = layoutTree(picked, scale.size)
  const { left, right, top, bottom } = layout.bounds
  const height = Math.max(bottom - top + 24, 150)
  const width = right - left + scale.labelRoom
  const used = RELATIONS.filter((relation) =>
    layout.links.some((link) => link.edge?.relation === relation),
  )
  const leftOut = tree.nodes.length - picked.nodes.length
  return (
    <figure>
      <svg
        viewBox={`${left - 2} ${(top + bottom - height) / 2} ${width} ${height}`}
        className="mx-auto h-auto max-h-96 w-full"
        role="img"
        aria-label={label}
      >
        {layout.links.map((link, index) => (
          <Line
            key={`${link.source.id}>${link.target.id}`}
            link={link}
            className="animate-fade"
            style={appear(index + 1)}
          />
        ))}
        {layout.nodes.map((node, index) => (
          <g key={node.id} className="animate-fade" style={appear(index)}>
            <Dot node={node} />
            <Label node={node} letters={scale.letters} />
          </g>
        ))}
      </svg>
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
        {leftOut > 0 && <span>{treeWords.more(leftOut)}</span>}
      </figcaption>
    </figure>
  )
}

import { RelationDot } from '@/components/relation-badge'
import { formatCompact, plural } from '@/lib/format'

import { nodeCaption } from '../draw'
import { nodeName, type TreeNode } from '../layout'

interface HoverCardProps {
  node: TreeNode
  /** The node's centre in the canvas's box, and how far below it the card may begin. */
  x: number
  y: number
  offset: number
  size: { width: number; height: number }
}

const WIDTH = 248

export function HoverCard({ node, x, y, offset, size }: HoverCardProps) {
  const left = Math.min(Math.max(8, x - WIDTH / 2), Math.max(8, size.width - WIDTH - 8))
  const below = y + offset + 130 < size.height
  return (
    <div
      aria-hidden
      className="animate-fade bg-popover pointer-events-none absolute z-10 rounded-lg border p-3 text-sm shadow-lg"
      style={{
        left,
        width: WIDTH,
        ...(below ? { top: y + offset + 8 } : { bottom: size.height - y + offset + 8 }),
      }}
    >
      <p className="font-medium [overflow-wrap:anywhere]">{nodeName(node)}</p>
      <p className="text-muted-foreground mt-1 flex items-center gap-2 text-xs">
        {node.edge && <RelationDot relation={node.edge.relation} />}
        {nodeCaption(node)}
      </p>
      {node.model && (
        <p className="text-muted-foreground mt-1 text-xs tabular-nums">
          {formatCompact(node.model.total_parameters)} parameters ·{' '}
          {plural(node.children.length, 'child', 'children')}
        </p>
      )}
      {node.ghost && (
        <p className="text-muted-foreground mt-1 text-xs text-pretty">
          The weights of its {plural(node.ghost.children.length, 'child', 'children')} point to a
          common ancestor that is not here.
        </p>
      )}
    </div>
  )
}

import { RelationDot } from '@/components/relation-badge'
import { formatCompact } from '@/lib/format'
import type { Model } from '@/lib/types'
import { treeWords } from '@/strings/tree'

import { nodeCaption } from '../draw/words'
import { countChildren, nodeName, type TreeNode } from '../layout'

interface HoverCardProps {
  node: TreeNode
  /** The node's centre in the canvas's box, and how far below it the card may begin. */
  x: number
  y: number
  offset: number
  size: { width: number; height: number }
}

const WIDTH = 248

/** Licence and tags, as far as somebody has said. */
const describeClaims = ({ declared }: Model): string =>
  [declared.licence, ...declared.tags].filter(Boolean).join(' · ')

export function HoverCard({ node, x, y, offset, size }: HoverCardProps) {
  const left = Math.min(Math.max(8, x - WIDTH / 2), Math.max(8, size.width - WIDTH - 8))
  const below = y + offset + 130 < size.height
  return (
    <div
      aria-hidden
      data-testid="hover-card"
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
          {treeWords.parameters(formatCompact(node.model.total_parameters))}
          {node.folded > 0
            ? treeWords.folded(node.folded)
            : treeWords.children(countChildren(node))}
        </p>
      )}
      {node.model && describeClaims(node.model) !== '' && (
        <p className="text-muted-foreground mt-1 truncate text-xs">{describeClaims(node.model)}</p>
      )}
      {node.more && (
        <p className="text-muted-foreground mt-1 text-xs">
          {node.more
            .slice(0, 6)
            .map((member) => member.model?.name)
            .join(', ')}
          {node.more.length > 6 && ' …'}
          {treeWords.hover.click}
        </p>
      )}
      {node.ghost && (
        <p className="text-muted-foreground mt-1 text-xs text-pretty">
          {treeWords.hover.ghost(node.ghost.children.length)}
        </p>
      )}
    </div>
  )
}

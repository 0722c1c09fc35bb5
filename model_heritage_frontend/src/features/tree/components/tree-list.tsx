import { GhostIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { StatedBadge } from '@/components/stated-badge'
import { Badge } from '@/components/ui/badge'
import { cn } from '@/lib/cn'
import { formatCompact, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'

import { nodeName, type TreeLayout, type TreeNode } from '../layout'

interface BranchProps {
  nodes: TreeNode[]
  selected: string | null
  otherParents: ReadonlyMap<string, TreeNode[]>
  level: number
}

function Row({
  node,
  selected,
  otherParents,
}: Omit<BranchProps, 'nodes' | 'level'> & { node: TreeNode }) {
  const others = otherParents.get(node.id) ?? []
  return (
    <div
      className={cn(
        'flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md px-2.5 py-1.5',
        node.id === selected && 'bg-accent',
      )}
    >
      {node.model ? (
        <Link
          to={paths.model(node.id)}
          aria-current={node.id === selected ? 'true' : undefined}
          className="hover:text-primary font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline"
        >
          {nodeName(node)}
        </Link>
      ) : (
        <span className="text-muted-foreground flex items-center gap-2 italic">
          <GhostIcon aria-hidden className="size-4" />
          Possible missing ancestor, {formatPercent(node.ghost?.confidence ?? 0)} sure
        </span>
      )}
      {node.edge && (
        <>
          <RelationBadge relation={node.edge.relation} />
          {node.edge.evidence.stated_by === null ? (
            <Confidence value={node.edge.confidence} />
          ) : (
            <StatedBadge author={node.edge.evidence.stated_by} />
          )}
        </>
      )}
      {!node.parent && node.model && node.children.length > 0 && <Badge>Root</Badge>}
      {others.length > 0 && (
        <span className="text-muted-foreground text-sm">
          also from {others.map(nodeName).join(', ')}
        </span>
      )}
      {node.model && (
        <span className="text-muted-foreground ml-auto text-xs tabular-nums max-sm:hidden">
          {formatCompact(node.model.total_parameters)} parameters
        </span>
      )}
    </div>
  )
}

function Branch({ nodes, level, ...rest }: BranchProps) {
  return (
    <ul
      // Very deep chains stop moving to the right: they would leave the screen.
      className={cn(
        level > 0 && 'border-l',
        level > 0 && level <= 12 && 'ml-3 pl-2 sm:ml-4 sm:pl-3',
      )}
    >
      {nodes.map((node) => (
        <li key={node.id}>
          <Row node={node} {...rest} />
          {node.children.length > 0 && <Branch nodes={node.children} level={level + 1} {...rest} />}
        </li>
      ))}
    </ul>
  )
}

/** The family as nested lists: the same content as the canvas, readable by everyone. */
export function TreeList({ layout, selected }: { layout: TreeLayout; selected: string | null }) {
  const otherParents = new Map<string, TreeNode[]>()
  for (const link of layout.links) {
    if (link.main) continue
    otherParents.set(link.target.id, [...(otherParents.get(link.target.id) ?? []), link.source])
  }
  const tops = layout.nodes.filter((node) => !node.parent)
  return <Branch nodes={tops} selected={selected} otherParents={otherParents} level={0} />
}

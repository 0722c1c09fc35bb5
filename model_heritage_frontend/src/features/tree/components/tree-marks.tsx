import type { CSSProperties } from 'react'

import { relationColor } from '@/lib/relations'

import type { TreeLink, TreeNode } from '../layout'

/** The marks of a tree drawn as SVG: what the canvas draws for large trees, for small pictures. */

interface LineProps {
  link: TreeLink
  className?: string
  style?: CSSProperties
}

export function Line({ link: { source, target, edge, main }, className, style }: LineProps) {
  const middle = (source.x + target.x) / 2
  return (
    <path
      d={`M${source.x},${source.y} C${middle},${source.y} ${middle},${target.y} ${target.x},${target.y}`}
      fill="none"
      stroke={relationColor(edge?.relation ?? 'unresolved')}
      strokeWidth={1.2 + (edge?.confidence ?? 0.3)}
      strokeOpacity={0.45 + 0.5 * (edge?.confidence ?? 0.4)}
      strokeDasharray={main && edge?.resolved ? undefined : '4 4'}
      className={className}
      style={style}
    />
  )
}

export function Dot({ node }: { node: TreeNode }) {
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

import {
  ArrowRightIcon,
  FoldVerticalIcon,
  FocusIcon,
  GitCompareArrowsIcon,
  UnfoldVerticalIcon,
  XIcon,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { EvidenceList } from '@/components/evidence-list'
import { OriginSentence } from '@/components/origin-sentence'
import { RelationBadge } from '@/components/relation-badge'
import { StatedBadge } from '@/components/stated-badge'
import { Button } from '@/components/ui/button'
import { formatBytes, formatChange, formatCompact, formatPercent, plural } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Named } from '@/lib/relations'
import type { Ghost, Model } from '@/lib/types'

import { countChildren, nodeName, type TreeLayout, type TreeNode } from '../layout'

/** A chosen model with its parents, the main one first. */
export interface ChosenModel {
  model: Model
  parents: Named[]
  /** Who confirmed the main parent. */
  statedBy: string | null
}

interface NodePanelProps {
  node: TreeNode
  layout: TreeLayout
  /** Whether only this node and its descendants are shown. */
  focused: boolean
  onFocus: (id: string | null) => void
  /** Folds the descendants away or shows them; null where there is nothing to fold. */
  onFold: (() => void) | null
  onClose: () => void
  /** What the page adds below: the ways to correct the tree. */
  renderMore?: ((chosen: ChosenModel) => ReactNode) | undefined
}

/** How far a child is from its missing ancestor, where that is known. */
function GhostDistance({ ghost, child }: { ghost: Ghost; child: string }) {
  const distance = ghost.distances[ghost.children.indexOf(child)]
  if (distance === undefined) return null
  return (
    <span className="text-muted-foreground tabular-nums">
      , about {formatChange(distance)} away
    </span>
  )
}

/** What is known about the chosen node of a tree, and the ways on from it. */
export function NodePanel(props: NodePanelProps) {
  const { node, layout, focused, onFocus, onFold, onClose, renderMore } = props
  const { model, edge, ghost } = node
  const nameOf = (id: string) => {
    const other = layout.byId.get(id)
    return other ? nodeName(other) : null
  }
  const others = layout.links
    .filter((link) => !link.main && link.target === node)
    .map(({ source }) => ({ id: source.id, name: nodeName(source) }))
  const main = edge ? [{ id: edge.parent, name: nameOf(edge.parent) ?? edge.parent }] : []
  return (
    <section aria-label={`About ${nodeName(node)}`} className="relative space-y-4 p-5">
      <button
        type="button"
        aria-label="Close"
        onClick={onClose}
        className="text-muted-foreground hover:bg-muted absolute top-4 right-4 grid size-8 place-items-center rounded-md"
      >
        <XIcon className="size-4" aria-hidden />
      </button>
      <div className="pr-8">
        <h2 className="text-lg font-semibold [overflow-wrap:anywhere]">{nodeName(node)}</h2>
        {model && (
          <p className="text-muted-foreground mt-1 text-sm">
            <OriginSentence model={model} evidence={edge?.evidence} others={others} />
          </p>
        )}
        {ghost && (
          <p className="text-muted-foreground mt-1 text-sm text-pretty">
            Possible missing ancestor, {formatPercent(ghost.confidence)} sure: the weights of{' '}
            {plural(ghost.children.length, 'model')} point to a common ancestor that is not among
            the models here.
          </p>
        )}
      </div>
      {edge && (
        <div className="flex flex-wrap items-center gap-3">
          <RelationBadge relation={edge.relation} hint />
          {edge.evidence.stated_by === null ? (
            <Confidence value={edge.confidence} />
          ) : (
            <StatedBadge author={edge.evidence.stated_by} />
          )}
        </div>
      )}
      {edge && <EvidenceList evidence={edge.evidence} nameOf={nameOf} />}
      {ghost && (
        <div className="text-sm">
          <h3 className="mb-1 font-medium">Its children here</h3>
          <ul className="space-y-1">
            {node.children.map((child) => (
              <li key={child.id}>
                <Link className="text-primary hover:underline" to={paths.model(child.id)}>
                  {nodeName(child)}
                </Link>
                <GhostDistance ghost={ghost} child={child.id} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {model && (
        <>
          <p className="text-muted-foreground text-sm tabular-nums">
            {formatCompact(model.total_parameters)} parameters · {formatBytes(model.file_size)} ·{' '}
            {node.folded > 0
              ? plural(node.folded, 'descendant')
              : plural(countChildren(node), 'child', 'children')}
          </p>
          <div className="flex flex-wrap gap-2">
            <Button asChild size="sm">
              <Link to={paths.model(model.id)}>
                Open model
                <ArrowRightIcon aria-hidden />
              </Link>
            </Button>
            {edge && (
              <Button asChild size="sm" variant="outline">
                <Link to={paths.compare(edge.parent, edge.child)}>
                  <GitCompareArrowsIcon aria-hidden />
                  Compare with parent
                </Link>
              </Button>
            )}
            {onFold && (
              <>
                <Button
                  size="sm"
                  variant="outline"
                  onClick={() => onFocus(focused ? null : node.id)}
                >
                  <FocusIcon aria-hidden />
                  {focused ? 'Whole family' : 'Only this branch'}
                </Button>
                <Button size="sm" variant="outline" onClick={onFold}>
                  {node.folded > 0 ? (
                    <UnfoldVerticalIcon aria-hidden />
                  ) : (
                    <FoldVerticalIcon aria-hidden />
                  )}
                  {node.folded > 0 ? `Unfold ${plural(node.folded, 'descendant')}` : 'Fold'}
                </Button>
              </>
            )}
          </div>
          {renderMore && (
            <div className="border-t pt-4">
              {renderMore({
                model,
                parents: [...main, ...others],
                statedBy: edge?.evidence.stated_by ?? null,
              })}
            </div>
          )}
        </>
      )}
    </section>
  )
}

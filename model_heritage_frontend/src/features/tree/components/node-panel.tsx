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
import { formatBytes, formatChange, formatCompact, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Named } from '@/lib/relations'
import type { Ghost, Model } from '@/lib/types'
import { treeWords } from '@/strings/tree'

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
      {treeWords.panel.away(formatChange(distance))}
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
    <section aria-label={treeWords.panel.label(nodeName(node))} className="relative space-y-4 p-5">
      <button
        type="button"
        aria-label={treeWords.panel.close}
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
            {treeWords.panel.ghost(formatPercent(ghost.confidence), ghost.children.length)}
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
          <h3 className="mb-1 font-medium">{treeWords.panel.children}</h3>
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
            {treeWords.parameters(formatCompact(model.total_parameters))}
            {formatBytes(model.file_size)} ·{' '}
            {node.folded > 0
              ? treeWords.descendants(node.folded)
              : treeWords.children(countChildren(node))}
          </p>
          <div className="flex flex-wrap gap-2">
            <Button asChild size="sm">
              <Link to={paths.model(model.id)}>
                {treeWords.panel.open}
                <ArrowRightIcon aria-hidden />
              </Link>
            </Button>
            {edge && (
              <Button asChild size="sm" variant="outline">
                <Link to={paths.compare(edge.parent, edge.child)}>
                  <GitCompareArrowsIcon aria-hidden />
                  {treeWords.panel.compare}
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
                  {focused ? treeWords.panel.wholeFamily : treeWords.panel.onlyBranch}
                </Button>
                <Button size="sm" variant="outline" onClick={onFold}>
                  {node.folded > 0 ? (
                    <UnfoldVerticalIcon aria-hidden />
                  ) : (
                    <FoldVerticalIcon aria-hidden />
                  )}
                  {node.folded > 0 ? treeWords.panel.unfold(node.folded) : treeWords.panel.fold}
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

import { useQuery } from '@tanstack/react-query'
import { useMemo, useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'

import { ErrorState, Loading } from '@/components/states'
import { Card } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'
import { useMedia } from '@/hooks/use-media'
import { paths } from '@/lib/paths'
import type { FamilyTree, Model } from '@/lib/types'
import { treeWords } from '@/strings/tree'

import { makeColouring } from '../colouring'
import { buildGenealogy } from '../genealogy'
import { layoutGenealogy, NARROW, ROOMY, type TreeNode } from '../layout'
import { useTreeViewState } from '../view-state'
import { groupParent } from '../visible'
import { FocusBar } from './focus-bar'
import { KeyboardHelp } from './keyboard-help'
import { NodePanel, type ChosenModel } from './node-panel'
import { TreeCanvas } from './tree-canvas'
import { TreeGrid } from './tree-grid'
import { TreeLegend } from './tree-legend'
import { TreeToolbar } from './tree-toolbar'

const HEIGHT = 'h-[min(70vh,44rem)] min-h-96'

export interface WorkbenchProps {
  tree: FamilyTree
  label: string
  /** What the page adds to the panel of a chosen model. */
  renderMore?: ((chosen: ChosenModel) => ReactNode) | undefined
  /** Somebody dragged a model onto the one that they hold for its parent. */
  onDropOn?: ((child: Model, parent: Model) => void) | undefined
}

export function Workbench({ tree, label, renderMore, onDropOn }: WorkbenchProps) {
  const navigate = useNavigate()
  const genealogy = useMemo(() => buildGenealogy(tree), [tree])
  const view = useTreeViewState(genealogy)
  const { selected, select, folding } = view
  const [found, setFound] = useState<{ id: string } | null>(null)
  const [finding, setFinding] = useState(false)
  const [helping, setHelping] = useState(false)
  const narrow = useMedia('(max-width: 640px)')
  const list = view.view === 'list'
  const radial = view.view === 'radial'
  const layout = useMemo(
    () => layoutGenealogy(genealogy, narrow ? NARROW : ROOMY, { axis: view.axis, radial, folding }),
    [genealogy, narrow, view.axis, radial, folding],
  )
  const colouring = useMemo(() => makeColouring(view.colouring, layout), [view.colouring, layout])
  const node = selected === null ? undefined : layout.byId.get(selected)

  const unfold = (each: TreeNode) => {
    const parent = groupParent(each.id)
    if (parent !== null) view.openGroup(parent)
    else if (each.below > 0) view.toggleFold(each.id)
  }
  const onKey = (key: string): boolean => {
    if (key === '/') setFinding(true)
    else if (key === '?') setHelping(true)
    else if (key === 's' && node?.model) view.setFocus(folding.focus === node.id ? null : node.id)
    else return false
    return true
  }
  const rows = layout.bounds.bottom - layout.bounds.top
  return (
    <div className="space-y-4">
      <TreeToolbar
        genealogy={genealogy}
        layout={layout}
        colouring={colouring}
        view={view}
        label={label}
        finding={finding}
        onFinding={setFinding}
        onFind={(id) => {
          select(id)
          setFound({ id })
        }}
        onHelp={() => setHelping(true)}
      />
      <FocusBar genealogy={genealogy} layout={layout} view={view} />
      <div className={node ? 'grid gap-4 lg:grid-cols-[minmax(0,1fr)_21rem]' : 'grid'}>
        <Card className="flex min-w-0 flex-col overflow-hidden">
          {list ? (
            <TreeGrid genealogy={genealogy} selected={selected} onSelect={select} label={label} />
          ) : (
            <TreeCanvas
              layout={layout}
              colouring={colouring}
              label={label}
              selected={selected}
              found={found}
              onSelect={select}
              onOpen={(id) => void navigate(paths.model(id))}
              onUnfold={unfold}
              onKey={onKey}
              onDrop={
                onDropOn &&
                ((child, parent) => {
                  if (child.model && parent.model) onDropOn(child.model, parent.model)
                })
              }
              // Beside the panel it is as high as that.
              className="max-h-[min(74vh,60rem)] min-h-88 grow"
              height={rows * (narrow && !radial ? 0.55 : 1) + 160}
            />
          )}
        </Card>
        {node && (
          <Card className="animate-rise self-start lg:max-h-[min(74vh,60rem)] lg:overflow-y-auto">
            <NodePanel
              key={node.id}
              node={node}
              layout={layout}
              focused={folding.focus === node.id}
              onFocus={(id) => view.setFocus(id)}
              onFold={node.below > 0 && !list ? () => view.toggleFold(node.id) : null}
              onClose={() => select(null)}
              renderMore={renderMore}
            />
          </Card>
        )}
      </div>
      {!list && <TreeLegend layout={layout} colouring={colouring} />}
      <KeyboardHelp open={helping} onOpenChange={setHelping} />
    </div>
  )
}

/** A family's tree to walk about in; the chosen model and the view are part of the address. */
export function FamilyTreeView({
  familyId,
  familyName,
  ...rest
}: {
  familyId: string
  familyName: string
} & Pick<WorkbenchProps, 'renderMore' | 'onDropOn'>) {
  const tree = useQuery(treeQuery(familyId))
  if (tree.isPending) {
    return (
      <Loading label={treeWords.loading}>
        <Skeleton className={HEIGHT} />
      </Loading>
    )
  }
  if (tree.isError) return <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />
  return <Workbench tree={tree.data} label={treeWords.treeOf(familyName)} {...rest} />
}

import { useQuery } from '@tanstack/react-query'
import { ListTreeIcon, NetworkIcon } from 'lucide-react'
import { useMemo, useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'

import { ErrorState, Loading } from '@/components/states'
import { Card } from '@/components/ui/card'
import { Segmented } from '@/components/ui/segmented'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'
import { useMedia } from '@/hooks/use-media'
import { useQueryParam } from '@/hooks/use-query-param'
import { paths } from '@/lib/paths'
import type { FamilyTree } from '@/lib/types'

import { layoutTree, NARROW, ROOMY } from '../layout'
import { FindInTree } from './find-in-tree'
import { NodePanel, type ChosenModel } from './node-panel'
import { TreeCanvas } from './tree-canvas'
import { TreeLegend } from './tree-legend'
import { TreeList } from './tree-list'

const VIEWS = [
  { value: 'tree', label: 'Tree', icon: <NetworkIcon aria-hidden /> },
  { value: 'list', label: 'List', icon: <ListTreeIcon aria-hidden /> },
] as const

const HEIGHT = 'h-[min(70vh,44rem)] min-h-96'

interface WorkbenchProps {
  tree: FamilyTree
  label: string
  /** What the page adds to the panel of a chosen model. */
  renderMore?: ((chosen: ChosenModel) => ReactNode) | undefined
}

function Workbench({ tree, label, renderMore }: WorkbenchProps) {
  const navigate = useNavigate()
  const [selected, select] = useQueryParam('model')
  const [view, setView] = useQueryParam('view', 'tree')
  const [found, setFound] = useState<{ id: string } | null>(null)
  const narrow = useMedia('(max-width: 640px)')
  const layout = useMemo(() => layoutTree(tree, narrow ? NARROW : ROOMY), [tree, narrow])
  const node = layout.byId.get(selected)
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        {view === 'list' ? (
          <span />
        ) : (
          <FindInTree
            layout={layout}
            onFind={(id) => {
              select(id)
              setFound({ id })
            }}
          />
        )}
        <Segmented
          label="How to show the family"
          value={view === 'list' ? 'list' : 'tree'}
          options={VIEWS}
          onChange={setView}
        />
      </div>
      <div className={node ? 'grid gap-4 lg:grid-cols-[minmax(0,1fr)_21rem]' : 'grid'}>
        <Card className="min-w-0 overflow-hidden">
          {view === 'list' ? (
            <div className="p-3 sm:p-5">
              <TreeList layout={layout} selected={selected} />
            </div>
          ) : (
            <TreeCanvas
              layout={layout}
              label={label}
              selected={selected || null}
              found={found}
              onSelect={select}
              onOpen={(id) => void navigate(paths.model(id))}
              className="max-h-[min(70vh,44rem)] min-h-88"
              height={(layout.bounds.bottom - layout.bounds.top) * (narrow ? 0.55 : 1) + 160}
            />
          )}
        </Card>
        {node && (
          <Card className="animate-rise self-start lg:max-h-[min(70vh,44rem)] lg:overflow-y-auto">
            <NodePanel
              key={node.id}
              node={node}
              layout={layout}
              onClose={() => select(null)}
              renderMore={renderMore}
            />
          </Card>
        )}
      </div>
      {view !== 'list' && <TreeLegend layout={layout} />}
    </div>
  )
}

/** A family's tree to walk about in; the chosen model and the view are part of the address. */
export function FamilyTreeView({
  familyId,
  familyName,
  renderMore,
}: {
  familyId: string
  familyName: string
  renderMore?: WorkbenchProps['renderMore']
}) {
  const tree = useQuery(treeQuery(familyId))
  if (tree.isPending) {
    return (
      <Loading label="the family tree">
        <Skeleton className={HEIGHT} />
      </Loading>
    )
  }
  if (tree.isError) return <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />
  return <Workbench tree={tree.data} label={`Tree of ${familyName}`} renderMore={renderMore} />
}

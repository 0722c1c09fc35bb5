import { useQuery } from '@tanstack/react-query'
import { ArrowRightIcon } from 'lucide-react'
import { useMemo } from 'react'
import { Link, useNavigate } from 'react-router'

import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'
import { useMedia } from '@/hooks/use-media'
import { paths } from '@/lib/paths'
import { treeWords } from '@/strings/tree'

import { makeColouring } from '../colouring'
import { COMPACT, layoutTree, NARROW } from '../layout'
import { TreeCanvas } from './tree-canvas'
import { TreeLegend } from './tree-legend'

interface ModelTreeProps {
  familyId: string
  modelId: string
  modelName: string
}

/** The family of one model, with that model marked. A click leads to the other models. */
export function ModelTree({ familyId, modelId, modelName }: ModelTreeProps) {
  const tree = useQuery(treeQuery(familyId))
  const navigate = useNavigate()
  const narrow = useMedia('(max-width: 640px)')
  const layout = useMemo(
    () => (tree.data ? layoutTree(tree.data, narrow ? NARROW : COMPACT) : null),
    [tree.data, narrow],
  )
  const open = (id: string | null) => {
    if (id !== null && id !== modelId && layout?.byId.get(id)?.model) void navigate(paths.model(id))
  }
  return (
    <Card className="overflow-hidden">
      <CardHeader>
        <CardTitle>{treeWords.title}</CardTitle>
        <Button asChild variant="ghost" size="sm">
          <Link to={paths.family(familyId, modelId)}>
            {treeWords.openFamily}
            <ArrowRightIcon aria-hidden />
          </Link>
        </Button>
      </CardHeader>
      <CardContent className="pt-3">
        {tree.isPending ? (
          <Loading label={treeWords.loading}>
            <Skeleton className="h-80" />
          </Loading>
        ) : tree.isError ? (
          <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />
        ) : (
          layout && (
            <>
              <TreeCanvas
                layout={layout}
                label={treeWords.familyOf(modelName)}
                selected={modelId}
                onSelect={open}
                onOpen={open}
                gentle
                height={(layout.bounds.bottom - layout.bounds.top) * (narrow ? 0.55 : 0.95) + 72}
                className="bg-background/60 max-h-120 min-h-72 rounded-lg border"
              />
              <div className="mt-3">
                <TreeLegend layout={layout} colouring={makeColouring('relation', layout)} />
              </div>
            </>
          )
        )}
      </CardContent>
    </Card>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'

import { ErrorState, Loading } from '@/components/states'
import { Skeleton } from '@/components/ui/skeleton'
import { comparisonQuery } from '@/hooks/queries'
import { paths } from '@/lib/paths'

import { buildHeatMap } from '../heat'
import { HeatGrid, HeatLegend } from './heat-grid'

/** What changed from the parent, by layer and kind; a cell leads to its tensors. */
export function ChangedByLayer({ parentId, modelId }: { parentId: string; modelId: string }) {
  const comparison = useQuery(comparisonQuery(parentId, modelId))
  const navigate = useNavigate()
  const tensors = comparison.data?.tensors
  const map = useMemo(() => buildHeatMap(tensors ?? []), [tensors])
  if (comparison.isPending) {
    return (
      <Loading label="what changed from the parent">
        <Skeleton className="h-40" />
      </Loading>
    )
  }
  if (comparison.isError) {
    return (
      <ErrorState
        error={comparison.error}
        onRetry={() => void comparison.refetch()}
        className="py-6"
      />
    )
  }
  if (map.most === 0) {
    return <p className="text-muted-foreground text-sm text-pretty">{comparison.data.summary}</p>
  }
  return (
    <div className="space-y-3">
      <p className="text-muted-foreground text-sm text-pretty">{comparison.data.summary}</p>
      <HeatGrid
        map={map}
        chosen={{ layer: '', kind: '' }}
        onChoose={({ layer, kind }) => {
          const query = new URLSearchParams({ layer, ...(kind !== '' && { kind }) })
          void navigate(`${paths.compare(parentId, modelId)}&${query.toString()}`)
        }}
      />
      <HeatLegend map={map} />
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router'

import { EvidenceList } from '@/components/evidence-list'
import { ErrorState, Loading } from '@/components/states'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { comparisonQuery, modelQuery } from '@/hooks/queries'
import { useEditParams } from '@/hooks/use-edit-params'
import { compareWords } from '@/strings/compare'

import { buildHeatMap, countChanges } from '../heat'
import { describeKinship } from '../words'
import { ChangeHistogram } from './change-histogram'
import { HeatGrid, HeatLegend, type HeatChoice } from './heat-grid'
import { TensorTable } from './tensor-table'

const useName = (id: string): string => useQuery(modelQuery(id)).data?.name ?? compareWords.theModel

/** A layer and a kind in the address, changed together. */
function useHeatChoice(): [HeatChoice, (choice: HeatChoice) => void] {
  const [params] = useSearchParams()
  const edit = useEditParams()
  const choose = (choice: HeatChoice) =>
    edit((next) => {
      for (const [key, value] of Object.entries(choice) as [string, string][]) {
        if (value === '') next.delete(key)
        else next.set(key, value)
      }
    })
  return [{ layer: params.get('layer') ?? '', kind: params.get('kind') ?? '' }, choose]
}

export function ComparisonView({ a, b }: { a: string; b: string }) {
  const comparison = useQuery(comparisonQuery(a, b))
  const first = useName(a)
  const second = useName(b)
  const [chosen, choose] = useHeatChoice()
  const tensors = comparison.data?.tensors
  const map = useMemo(() => buildHeatMap(tensors ?? []), [tensors])
  const changes = useMemo(() => countChanges(tensors ?? []), [tensors])
  if (comparison.isPending) {
    return (
      <Loading label={compareWords.loading}>
        <Skeleton className="h-28 rounded-xl" />
        <Skeleton className="mt-8 h-96 rounded-xl" />
      </Loading>
    )
  }
  if (comparison.isError) {
    return <ErrorState error={comparison.error} onRetry={() => void comparison.refetch()} />
  }
  const { summary, related, relation_evidence: evidence, kinship } = comparison.data
  return (
    <div className="space-y-6">
      <Card className="animate-rise p-6">
        <p className="text-lg font-medium text-pretty [overflow-wrap:anywhere]">
          {describeKinship(kinship, first, second)}
        </p>
        <p className="text-muted-foreground mt-1 text-pretty">{summary}</p>
        {related && (evidence ?? kinship.reasons.length > 0) && (
          <div className="mt-4">
            <EvidenceList evidence={{ signals: evidence ?? {} }} reasons={kinship.reasons} />
          </div>
        )}
      </Card>
      {map.most > 0 && (
        <div className="grid gap-6 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
          <Card className="min-w-0">
            <CardHeader className="flex-wrap">
              <CardTitle>{compareWords.heat.title}</CardTitle>
              <HeatLegend map={map} />
            </CardHeader>
            <CardContent className="pt-3">
              <HeatGrid map={map} chosen={chosen} onChoose={choose} />
            </CardContent>
          </Card>
          <Card className="min-w-0">
            <CardHeader>
              <CardTitle>{compareWords.histogram.title}</CardTitle>
            </CardHeader>
            <CardContent className="pt-3">
              <ChangeHistogram {...changes} />
            </CardContent>
          </Card>
        </div>
      )}
      <TensorTable tensors={comparison.data.tensors} chosen={chosen} onChoose={choose} />
    </div>
  )
}

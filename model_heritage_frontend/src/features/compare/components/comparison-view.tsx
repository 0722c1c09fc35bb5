import { useQuery } from '@tanstack/react-query'

import { EvidenceList } from '@/components/evidence-list'
import { ErrorState, Loading } from '@/components/states'
import { Card } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { comparisonQuery } from '@/hooks/queries'

import { TensorTable } from './tensor-table'

export function ComparisonView({ a, b }: { a: string; b: string }) {
  const comparison = useQuery(comparisonQuery(a, b))
  if (comparison.isPending) {
    return (
      <Loading label="the comparison">
        <Skeleton className="h-28 rounded-xl" />
        <Skeleton className="mt-8 h-96 rounded-xl" />
      </Loading>
    )
  }
  if (comparison.isError) {
    return <ErrorState error={comparison.error} onRetry={() => void comparison.refetch()} />
  }
  const { summary, related, relation_evidence: evidence, tensors } = comparison.data
  return (
    <div className="space-y-8">
      <Card className="animate-rise p-6">
        <p className="text-lg font-medium text-pretty">{summary}</p>
        {related && evidence && (
          <div className="mt-4">
            <EvidenceList evidence={{ signals: evidence }} />
          </div>
        )}
      </Card>
      <TensorTable tensors={tensors} />
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { ChartColumnIcon } from 'lucide-react'

import { AddModels } from '@/components/add-models'
import { Needs } from '@/components/needs'
import { PageHeader } from '@/components/page-header'
import { EmptyState, ErrorState, Loading } from '@/components/states'
import { Skeleton } from '@/components/ui/skeleton'
import { Distributions } from '@/features/statistics/components/distributions'
import { LargestFamilies } from '@/features/statistics/components/largest-families'
import { ReclusterPanel } from '@/features/statistics/components/recluster-panel'
import { RelationBars } from '@/features/statistics/components/relation-bars'
import { Totals } from '@/features/statistics/components/totals'
import { statsQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'
import { statisticsWords as words } from '@/strings/statistics'

function Content() {
  const stats = useQuery(statsQuery())
  if (stats.isPending) {
    return (
      <Loading label={words.loading}>
        <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
          {Array.from({ length: 4 }, (_, index) => (
            <Skeleton key={index} className="h-28 rounded-xl" />
          ))}
        </div>
        <Skeleton className="mt-5 h-72 rounded-xl" />
      </Loading>
    )
  }
  if (stats.isError) return <ErrorState error={stats.error} onRetry={() => void stats.refetch()} />
  if (stats.data.total_models === 0) {
    return (
      <EmptyState
        icon={ChartColumnIcon}
        title={words.empty.title}
        actions={<AddModels>{words.empty.action}</AddModels>}
      >
        {words.empty.text}
      </EmptyState>
    )
  }
  return (
    <div className="space-y-5">
      <Totals stats={stats.data} />
      <div className="grid gap-5 lg:grid-cols-2">
        <RelationBars relations={stats.data.relations} />
        <LargestFamilies families={stats.data.largest_families} />
      </div>
      <Distributions />
      <Needs least="admin">
        <ReclusterPanel />
      </Needs>
    </div>
  )
}

export function StatisticsPage() {
  useTitle(words.title)
  return (
    <>
      <PageHeader title={words.title} description={words.description} />
      <Content />
    </>
  )
}

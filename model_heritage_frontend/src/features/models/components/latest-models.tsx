import { useInfiniteQuery } from '@tanstack/react-query'
import { ArrowRightIcon } from 'lucide-react'
import { Link } from 'react-router'

import { OriginSentence } from '@/components/origin-sentence'
import { ErrorState, Loading } from '@/components/states'
import { StatusBadge } from '@/components/status-badge'
import { Ago } from '@/components/time'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { modelsQuery } from '@/hooks/queries'
import { formatCompact } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Model } from '@/lib/types'
import { homeWords } from '@/strings/home'

const words = homeWords.latest

function LatestRow({ model }: { model: Model }) {
  return (
    <li className="hover:bg-muted/50 relative flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-5 py-3.5 transition-colors">
      <div className="min-w-0 flex-1 basis-64">
        <Link
          to={paths.model(model.id)}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {model.name}
        </Link>
        <p className="text-muted-foreground line-clamp-2 text-sm sm:line-clamp-1">
          <OriginSentence model={model} linked={false} />
        </p>
      </div>
      {model.status !== 'ok' && <StatusBadge status={model.status} />}
      <p className="text-muted-foreground text-sm tabular-nums sm:text-right">
        {words.parameters(formatCompact(model.total_parameters))} · <Ago iso={model.created_at} />
      </p>
    </li>
  )
}

export function LatestModels() {
  const models = useInfiniteQuery(modelsQuery({ sort: '-created_at', limit: 6 }))
  const latest = models.data?.pages[0]?.models ?? []
  return (
    <section aria-labelledby="latest">
      <div className="mb-4 flex items-center justify-between gap-4">
        <h2 id="latest" className="text-lg font-semibold">
          {words.title}
        </h2>
        <Button asChild variant="ghost" size="sm">
          <Link to={`${paths.models}?sort=-created_at`}>
            {words.all}
            <ArrowRightIcon aria-hidden />
          </Link>
        </Button>
      </div>
      {models.isPending ? (
        <Loading label={words.loading}>
          <Skeleton className="h-80 rounded-xl" />
        </Loading>
      ) : models.isError ? (
        <ErrorState error={models.error} onRetry={() => void models.refetch()} />
      ) : (
        <Card className="overflow-hidden">
          <ul className="divide-y">
            {latest.map((model) => (
              <LatestRow key={model.id} model={model} />
            ))}
          </ul>
        </Card>
      )}
    </section>
  )
}

import { useQuery } from '@tanstack/react-query'
import { GitCompareArrowsIcon } from 'lucide-react'
import { Link } from 'react-router'

import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { comparisonQuery } from '@/hooks/queries'
import { formatChange } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { ChangeGroup, Comparison } from '@/lib/types'
import { modelWords } from '@/strings/model'

const words = modelWords.changes

const shareOf = (change: number | null, most: number): number =>
  change === null || most <= 0 ? 0 : Math.min(1, change / most)

const describe = (group: ChangeGroup): string =>
  `${words.changed(group.changed, group.tensors)}, ${formatChange(group.relative_change ?? 0)}`

/** One field per layer, in the order of the network: the darker, the more it changed. */
function LayerStrip({ layers, most }: { layers: Comparison['layers']; most: number }) {
  return (
    <ol className="mt-2 flex flex-wrap gap-x-1 gap-y-2">
      {layers.map((group) => (
        <li
          key={group.layer ?? 'outside'}
          title={`${words.layer(group.layer)}: ${describe(group)}`}
          className="min-w-6 flex-1"
        >
          <span
            aria-hidden
            className="border-foreground/10 block h-7 rounded-sm border"
            style={{
              background: `color-mix(in oklab, var(--primary) ${Math.round(
                shareOf(group.relative_change, most) * 100,
              )}%, var(--card))`,
            }}
          />
          <span
            aria-hidden
            className="text-muted-foreground mt-0.5 block truncate text-center text-xs tabular-nums"
          >
            {group.layer ?? words.outside}
          </span>
          <span className="sr-only">
            {words.layer(group.layer)}: {describe(group)}
          </span>
        </li>
      ))}
    </ol>
  )
}

function KindBars({ kinds, most }: { kinds: Comparison['kinds']; most: number }) {
  return (
    <ul className="mt-2 space-y-1.5">
      {kinds.map((group) => (
        <li
          key={group.kind}
          className="grid grid-cols-[7rem_minmax(0,1fr)_4rem] items-center gap-3 text-sm"
          title={describe(group)}
        >
          <span className="truncate">{words.kind[group.kind] ?? group.kind}</span>
          <span aria-hidden className="bg-foreground/6 h-2 overflow-hidden rounded-full">
            <span
              className="bg-primary block h-full rounded-full"
              style={{ width: `${shareOf(group.relative_change, most) * 100}%` }}
            />
          </span>
          <span className="text-right tabular-nums">
            {formatChange(group.relative_change ?? 0)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Changes({ comparison }: { comparison: Comparison }) {
  const { layers, kinds, summary } = comparison
  const most = (groups: ChangeGroup[]) =>
    groups.reduce((largest, group) => Math.max(largest, group.relative_change ?? 0), 0)
  const inLayers = most(layers)
  const inKinds = most(kinds)
  return (
    <>
      <p className="text-muted-foreground text-sm text-pretty">{summary}</p>
      {inLayers > 0 && layers.length > 1 && (
        <section className="mt-4">
          <h3 className="text-sm font-medium">{words.layers}</h3>
          <LayerStrip layers={layers} most={inLayers} />
          <p className="text-muted-foreground mt-1.5 text-xs">
            {words.scale(formatChange(inLayers))}
          </p>
        </section>
      )}
      {inKinds > 0 && kinds.length > 1 && (
        <section className="mt-4">
          <h3 className="text-sm font-medium">{words.kinds}</h3>
          <KindBars kinds={kinds} most={inKinds} />
        </section>
      )}
    </>
  )
}

/** What was done on the way from the parent, in short; the comparison page has every tensor. */
export function ModelChanges({ parentId, modelId }: { parentId: string; modelId: string }) {
  const comparison = useQuery(comparisonQuery(parentId, modelId))
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.title}</CardTitle>
        <Button asChild variant="ghost" size="sm">
          <Link to={paths.compare(parentId, modelId)}>
            <GitCompareArrowsIcon aria-hidden />
            {words.compare}
          </Link>
        </Button>
      </CardHeader>
      <CardContent className="pt-2">
        {comparison.isPending ? (
          <Loading label={words.loading}>
            <Skeleton className="h-36" />
          </Loading>
        ) : comparison.isError ? (
          <ErrorState
            error={comparison.error}
            onRetry={() => void comparison.refetch()}
            className="py-6"
          />
        ) : (
          <Changes comparison={comparison.data} />
        )}
      </CardContent>
    </Card>
  )
}

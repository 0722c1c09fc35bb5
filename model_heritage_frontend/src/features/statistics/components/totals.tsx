import { Link } from 'react-router'

import { StatTile } from '@/components/stat-tile'
import { formatBytes, formatCompact, formatNumber, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Stats } from '@/lib/types'
import { statisticsParts } from '@/strings/statistics'

const words = statisticsParts.totals

export function Totals({ stats }: { stats: Stats }) {
  const waiting = stats.processing + stats.errors
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <StatTile
        label={words.models}
        value={formatNumber(stats.total_models)}
        note={
          waiting === 0 ? (
            words.allRead
          ) : (
            <Link
              className="underline underline-offset-2"
              to={`${paths.models}?status=${stats.errors > 0 ? 'error' : 'processing'}`}
            >
              {formatNumber(stats.processing)} {words.processing} {formatNumber(stats.errors)}{' '}
              {words.withErrors}
            </Link>
          )
        }
      />
      <StatTile
        label={words.families}
        value={formatNumber(stats.total_families)}
        note={words.modelsOnTheirOwn}
      />
      <StatTile
        label={words.parentsFound}
        value={formatNumber(stats.resolved_edges)}
        note={
          stats.mean_confidence === null
            ? words.ofEdges(stats.total_edges)
            : words.ofEdgesSure(stats.total_edges, formatPercent(stats.mean_confidence))
        }
      />
      <StatTile
        label={words.parameters}
        value={formatCompact(stats.total_parameters)}
        note={words.inBytes(formatBytes(stats.total_bytes))}
      />
    </dl>
  )
}

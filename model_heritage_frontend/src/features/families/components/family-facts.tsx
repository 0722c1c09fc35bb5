import { StatTile } from '@/components/stat-tile'
import { formatCompact, formatNumber, formatPercent, formatSmall } from '@/lib/format'
import type { Family } from '@/lib/types'

export function FamilyFacts({ family }: { family: Family }) {
  return (
    <dl className="grid grid-cols-2 gap-3 max-sm:*:last:col-span-2 md:grid-cols-3 xl:grid-cols-5">
      <StatTile
        label="Models"
        value={formatNumber(family.size)}
        note={`${formatCompact(family.total_parameters)} parameters in all`}
      />
      <StatTile
        label="Generations"
        value={formatNumber(family.depth + 1)}
        note={`${formatNumber(family.leaf_count)} without children`}
      />
      <StatTile
        label="Mean confidence"
        value={family.mean_confidence === null ? '–' : formatPercent(family.mean_confidence)}
        note="over all parents found"
      />
      <StatTile
        label="Unresolved"
        value={formatNumber(family.unresolved_count)}
        note="parents that are only a best guess"
      />
      <StatTile
        label="Mean distance"
        value={formatSmall(family.avg_intra_distance)}
        note={`parent to child, at most ${formatSmall(family.diameter)}`}
      />
    </dl>
  )
}

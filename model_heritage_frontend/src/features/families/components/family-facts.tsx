import { StatTile } from '@/components/stat-tile'
import { formatCompact, formatNumber, formatPercent, formatSmall } from '@/lib/format'
import type { Family } from '@/lib/types'
import { familyWords } from '@/strings/families'

export function FamilyFacts({ family }: { family: Family }) {
  return (
    <dl className="grid grid-cols-2 gap-3 max-sm:*:last:col-span-2 md:grid-cols-3 xl:grid-cols-5">
      <StatTile
        label={familyWords.facts.models}
        value={formatNumber(family.size)}
        note={familyWords.facts.parameters(formatCompact(family.total_parameters))}
      />
      <StatTile
        label={familyWords.facts.generations}
        value={formatNumber(family.depth + 1)}
        note={familyWords.facts.leaves(family.leaf_count)}
      />
      <StatTile
        label={familyWords.facts.confidence}
        value={family.mean_confidence === null ? '–' : formatPercent(family.mean_confidence)}
        note={familyWords.facts.allParents}
      />
      <StatTile
        label={familyWords.facts.unresolved}
        value={formatNumber(family.unresolved_count)}
        note={familyWords.facts.guesses}
      />
      <StatTile
        label={familyWords.facts.distance}
        value={formatSmall(family.avg_intra_distance)}
        note={familyWords.facts.diameter(formatSmall(family.diameter))}
      />
    </dl>
  )
}

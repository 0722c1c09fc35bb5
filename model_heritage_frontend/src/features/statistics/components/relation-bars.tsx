import { Link } from 'react-router'

import { RelationDot } from '@/components/relation-badge'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatNumber } from '@/lib/format'
import { paths } from '@/lib/paths'
import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type Stats } from '@/lib/types'
import { statisticsParts } from '@/strings/statistics'

const words = statisticsParts.relationBars

/** How models came about, the most common way first; each bar leads to its models. */
export function RelationBars({ relations }: { relations: Stats['relations'] }) {
  const rows = RELATIONS.map((relation) => ({ relation, count: relations[relation] ?? 0 }))
    .filter((row) => row.count > 0)
    .sort((a, b) => b.count - a.count)
  const largest = rows[0]?.count ?? 1
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.howModelsCameAbout}</CardTitle>
      </CardHeader>
      <CardContent className="pt-3">
        {rows.length === 0 ? (
          <p className="text-muted-foreground text-sm">{words.noParentHasBeen}</p>
        ) : (
          <ul className="space-y-1">
            {rows.map(({ relation, count }) => (
              <li key={relation}>
                <Link
                  to={`${paths.models}?relation=${relation}`}
                  className="hover:bg-muted -mx-2 grid grid-cols-[9rem_minmax(0,1fr)_3rem] items-center gap-3 rounded-md px-2 py-1.5 text-sm"
                >
                  <span className="flex items-center gap-2">
                    <RelationDot relation={relation} />
                    {RELATION_WORDS[relation].label}
                  </span>
                  <span aria-hidden className="bg-foreground/6 h-2.5 overflow-hidden rounded-full">
                    <span
                      className="block h-full rounded-full"
                      style={{
                        width: `${(count / largest) * 100}%`,
                        background: relationColor(relation),
                      }}
                    />
                  </span>
                  <span className="text-right font-medium tabular-nums">{formatNumber(count)}</span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </CardContent>
    </Card>
  )
}

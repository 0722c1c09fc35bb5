import { Link } from 'react-router'

import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatNumber, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Family } from '@/lib/types'
import { statisticsParts } from '@/strings/statistics'

const words = statisticsParts.largestFamilies

export function LargestFamilies({ families }: { families: Family[] }) {
  const largest = families[0]?.size ?? 1
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.largestFamilies}</CardTitle>
      </CardHeader>
      <CardContent className="pt-3">
        {families.length === 0 ? (
          <p className="text-muted-foreground text-sm">{words.noFamilyYet}</p>
        ) : (
          <ol className="space-y-1">
            {families.map((family) => (
              <li key={family.id}>
                <Link
                  to={paths.family(family.id)}
                  className="hover:bg-muted -mx-2 block rounded-md px-2 py-1.5 text-sm"
                >
                  <span className="flex justify-between gap-4">
                    <span className="min-w-0 truncate font-medium">{family.name}</span>
                    <span className="text-muted-foreground shrink-0 tabular-nums">
                      {formatNumber(family.size)}
                      {family.mean_confidence !== null &&
                        ` · ${formatPercent(family.mean_confidence)}`}
                    </span>
                  </span>
                  <span
                    aria-hidden
                    className="bg-foreground/6 mt-1.5 block h-1.5 overflow-hidden rounded-full"
                  >
                    <span
                      className="bg-primary block h-full rounded-full"
                      style={{ width: `${(family.size / largest) * 100}%` }}
                    />
                  </span>
                </Link>
              </li>
            ))}
          </ol>
        )}
      </CardContent>
    </Card>
  )
}

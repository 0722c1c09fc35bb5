import { ArrowDownIcon, ArrowUpIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { Ago } from '@/components/time'
import { Card } from '@/components/ui/card'
import { cn } from '@/lib/cn'
import { formatCompact, formatNumber, formatSmall } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Family } from '@/lib/types'
import { familyWords } from '@/strings/families'

import { turnSort } from '../sorts'

interface FamilyTableProps {
  families: Family[]
  sort: string
  onSort: (sort: string) => void
}

const COLUMNS: { key: string | null; label: string; className?: string }[] = [
  { key: 'name', label: familyWords.table.family },
  { key: 'size', label: familyWords.table.models, className: 'text-right' },
  { key: 'depth', label: familyWords.table.generations, className: 'text-right max-sm:hidden' },
  { key: 'confidence', label: familyWords.table.confidence, className: 'max-md:hidden' },
  { key: 'unresolved', label: familyWords.table.unresolved, className: 'text-right' },
  { key: 'distance', label: familyWords.table.distance, className: 'text-right max-md:hidden' },
  { key: null, label: familyWords.table.parameters, className: 'text-right max-lg:hidden' },
  { key: 'updated_at', label: familyWords.table.changed, className: 'max-lg:hidden' },
]

/** All families as rows that sort by any measure. */
export function FamilyTable({ families, sort, onSort }: FamilyTableProps) {
  const key = sort.replace(/^-/, '')
  const ascending = !sort.startsWith('-')
  const Arrow = ascending ? ArrowUpIcon : ArrowDownIcon
  return (
    <Card className="overflow-x-auto">
      <table className="w-full text-sm">
        <thead className="text-muted-foreground border-b text-left">
          <tr>
            {COLUMNS.map((column) => (
              <th
                key={column.label}
                scope="col"
                aria-sort={
                  column.key === null
                    ? undefined
                    : column.key !== key
                      ? 'none'
                      : ascending
                        ? 'ascending'
                        : 'descending'
                }
                className={cn(
                  'px-3 py-2 font-medium whitespace-nowrap first:pl-5 last:pr-5',
                  column.className,
                )}
              >
                {column.key === null ? (
                  column.label
                ) : (
                  <button
                    type="button"
                    className="hover:text-foreground inline-flex items-center gap-1 rounded-sm py-1"
                    onClick={() => onSort(turnSort(sort, column.key ?? 'size'))}
                  >
                    {column.label}
                    {column.key === key && <Arrow aria-hidden className="size-3.5" />}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {families.map((family) => (
            <tr key={family.id} className="hover:bg-muted/50">
              <th scope="row" className="max-w-80 px-3 py-2.5 pl-5 text-left font-normal">
                <Link
                  to={paths.family(family.id)}
                  className="hover:text-primary block truncate font-medium underline-offset-4 hover:underline"
                >
                  {family.name}
                </Link>
                <span className="text-muted-foreground block truncate text-xs">
                  {family.root_name
                    ? familyWords.table.root(family.root_name)
                    : familyWords.table.noRoot}
                </span>
              </th>
              <td className="px-3 text-right tabular-nums">{formatNumber(family.size)}</td>
              <td className="px-3 text-right tabular-nums max-sm:hidden">
                {formatNumber(family.depth + 1)}
              </td>
              <td className="px-3 max-md:hidden">
                {family.mean_confidence === null ? (
                  '–'
                ) : (
                  <Confidence value={family.mean_confidence} />
                )}
              </td>
              <td
                className={cn(
                  'px-3 text-right tabular-nums max-sm:pr-5',
                  family.unresolved_count > 0 && 'text-warning font-medium',
                )}
              >
                {formatNumber(family.unresolved_count)}
              </td>
              <td className="px-3 text-right tabular-nums max-md:hidden">
                {formatSmall(family.avg_intra_distance)}
              </td>
              <td className="px-3 text-right tabular-nums max-lg:hidden">
                {formatCompact(family.total_parameters)}
              </td>
              <td className="text-muted-foreground px-3 pr-5 whitespace-nowrap max-lg:hidden">
                <Ago iso={family.updated_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

import { RelationDot } from '@/components/relation-badge'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatBytes, formatNumber, formatPercent } from '@/lib/format'
import { RELATION_WORDS, relationColor } from '@/lib/relations'
import type { LakeDistributions } from '@/lib/types'
import { statisticsWords } from '@/strings/statistics'

const words = statisticsWords.storage

/** What need not be stored beside a parent, by what was done to it. */
export function StorageCard({ storage }: { storage: LakeDistributions['storage'] }) {
  const { models, measured, bytes, saved_bytes: saved, relations } = storage
  const share = bytes > 0 ? formatPercent(saved / bytes) : '0%'
  return (
    <Card className="min-w-0">
      <CardHeader>
        <CardTitle>{words.title}</CardTitle>
      </CardHeader>
      <CardContent className="pt-2">
        <p className="text-sm text-pretty">
          {saved > 0
            ? words.summary(models, formatBytes(bytes), formatBytes(bytes - saved), share)
            : words.none}
        </p>
        {saved > 0 && (
          <>
            <div
              role="img"
              aria-label={words.bar(share)}
              className="bg-foreground/8 mt-4 flex h-3 overflow-hidden rounded-full"
            >
              {relations
                .filter((row) => row.saved_bytes > 0)
                .map((row) => (
                  <span
                    key={row.relation}
                    title={`${RELATION_WORDS[row.relation].label}: ${formatBytes(row.saved_bytes)}`}
                    style={{
                      width: `${(row.saved_bytes / bytes) * 100}%`,
                      background: relationColor(row.relation),
                    }}
                  />
                ))}
            </div>
            <table className="mt-4 w-full text-sm tabular-nums">
              <thead className="text-muted-foreground text-left">
                <tr>
                  <th scope="col" className="py-1.5 font-medium">
                    {words.relation}
                  </th>
                  {[words.models, words.now, words.saved].map((name) => (
                    <th key={name} scope="col" className="py-1.5 pl-3 text-right font-medium">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody className="divide-y">
                {relations.map((row) => (
                  <tr key={row.relation}>
                    <td className="py-1.5">
                      <span className="flex items-center gap-2">
                        <RelationDot relation={row.relation} />
                        {RELATION_WORDS[row.relation].label}
                      </span>
                    </td>
                    <td className="py-1.5 pl-3 text-right">{formatNumber(row.models)}</td>
                    <td className="py-1.5 pl-3 text-right">{formatBytes(row.bytes)}</td>
                    <td className="py-1.5 pl-3 text-right">{formatBytes(row.saved_bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        )}
        <p className="text-muted-foreground mt-4 text-xs text-pretty">
          {words.note}
          {measured < models && ` ${words.unmeasured(models - measured)}`}
        </p>
      </CardContent>
    </Card>
  )
}

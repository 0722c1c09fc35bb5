import type { ReactNode } from 'react'

import { CopyButton } from '@/components/copy-button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatBytes, formatNumber, formatPercent } from '@/lib/format'
import type { Model } from '@/lib/types'
import { modelParts } from '@/strings/models'

const words = modelParts.modelSpecification

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-0.5 py-2">
      <dt className="text-muted-foreground text-sm">{label}</dt>
      <dd className="min-w-0 text-sm font-medium [overflow-wrap:anywhere]">{children}</dd>
    </div>
  )
}

function Code({ text, label }: { text: string; label: string }) {
  return (
    <span className="flex items-center gap-1">
      <code className="font-mono text-xs" title={text}>
        {text.length > 20 ? `${text.slice(0, 10)}…${text.slice(-6)}` : text}
      </code>
      <CopyButton text={text} label={label} />
    </span>
  )
}

/** Number types by share, the most common first. */
function describeDtypes(dtypes: Record<string, number>): string {
  const total = Object.values(dtypes).reduce((sum, count) => sum + count, 0)
  const sorted = Object.entries(dtypes).sort((a, b) => b[1] - a[1])
  if (sorted.length <= 1) return sorted[0]?.[0] ?? '–'
  return sorted.map(([name, count]) => `${name} ${formatPercent(count / total)}`).join(', ')
}

export function ModelSpecification({ model }: { model: Model }) {
  const known = (value: number | null) => (value === null ? '–' : formatNumber(value))
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.specification}</CardTitle>
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <dl className="divide-y">
          <Fact label={words.parameters}>{known(model.total_parameters)}</Fact>
          <Fact label={words.layers}>{known(model.layer_count)}</Fact>
          <Fact label={words.numberTypes}>{describeDtypes(model.dtypes)}</Fact>
          <Fact label={words.format}>{model.format}</Fact>
          <Fact label={words.fileSize}>{formatBytes(model.file_size)}</Fact>
          <Fact label={words.file}>{model.filename}</Fact>
          <Fact label={words.structuralHash}>
            {model.structural_hash ? (
              <Code text={model.structural_hash} label={words.structuralHash2} />
            ) : (
              '–'
            )}
          </Fact>
          <Fact label={words.sha256}>
            <Code text={model.checksum} label={words.checksum} />
          </Fact>
        </dl>
      </CardContent>
    </Card>
  )
}

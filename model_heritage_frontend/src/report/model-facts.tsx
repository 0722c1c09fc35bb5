import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { EvidenceList } from '@/components/evidence-list'
import { OriginSentence } from '@/components/origin-sentence'
import { RelationBadge } from '@/components/relation-badge'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { formatBytes, formatNumber } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Edge, Model } from '@/lib/types'
import { reportWords } from '@/strings/report'

interface ModelFactsProps {
  model: Model
  models: ReadonlyMap<string, Model>
  edges: readonly Edge[]
}

const LINK = 'text-primary underline-offset-4 hover:underline [overflow-wrap:anywhere]'

/** What is known of one model of the report. */
export function ModelFacts({ model, models, edges }: ModelFactsProps) {
  const parents = edges.filter(({ child }) => child === model.id)
  const edge = parents.find(({ main }) => main)
  const nameOf = (id: string) => models.get(id)?.name ?? null
  const others = parents
    .filter(({ main }) => !main)
    .map(({ parent }) => ({ id: parent, name: nameOf(parent) ?? parent }))
  const children = edges.filter(({ parent }) => parent === model.id)
  const facts = [
    [reportWords.facts.file, model.file_path],
    ...(model.file_size > 0 ? [[reportWords.facts.size, formatBytes(model.file_size)]] : []),
    [reportWords.facts.parameters, formatNumber(model.total_parameters ?? 0)],
    [reportWords.facts.checksum, model.checksum],
    ...(model.quality.length > 0 ? [[reportWords.facts.notes, model.quality.join(', ')]] : []),
  ]
  return (
    <Card className="space-y-5 p-6">
      <div>
        <h2 className="text-xl font-semibold [overflow-wrap:anywhere]">{model.name}</h2>
        <p className="text-muted-foreground mt-1">
          <OriginSentence model={model} evidence={edge?.evidence} others={others} />
        </p>
      </div>
      {edge && (
        <div className="flex flex-wrap items-center gap-3">
          <RelationBadge relation={edge.relation} hint />
          <Confidence value={edge.confidence} />
        </div>
      )}
      {edge && <EvidenceList evidence={edge.evidence} nameOf={nameOf} />}
      <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[8rem_1fr]">
        {facts.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted-foreground">{term}</dt>
            <dd className="[overflow-wrap:anywhere] tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {children.length > 0 && (
        <div className="text-sm">
          <h3 className="mb-1 font-medium">{reportWords.facts.madeFromIt}</h3>
          <ul className="space-y-1">
            {children.map(({ child, relation }) => (
              <li key={child} className="flex flex-wrap items-center gap-2">
                <Link to={paths.model(child)} className={LINK}>
                  {nameOf(child) ?? child}
                </Link>
                <RelationBadge relation={relation} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {model.family_id !== null && (model.family_size ?? 1) > 1 && (
        <Button asChild size="sm" variant="outline">
          <Link to={paths.family(model.family_id, model.id)}>{reportWords.facts.showInFamily}</Link>
        </Button>
      )}
    </Card>
  )
}

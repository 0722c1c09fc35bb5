import { EvidenceList } from '@/components/evidence-list'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { RELATION_WORDS } from '@/lib/relations'
import type { ModelDetail } from '@/lib/types'
import { modelParts } from '@/strings/models'

const words = modelParts.modelEvidence

/** Why this parent is believed, in plain words. Nothing is shown for a model without a parent. */
export function ModelEvidence({ model }: { model: ModelDetail }) {
  const { parent } = model.lineage
  if (!parent) return null
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.whyThisParent}</CardTitle>
      </CardHeader>
      <CardContent className="pt-3">
        <p className="text-muted-foreground mb-3 text-sm text-pretty">
          {RELATION_WORDS[parent.relation].explanation}
        </p>
        <EvidenceList
          evidence={parent.evidence}
          reasons={parent.reasons}
          runnerUp={parent.runner_up}
        />
      </CardContent>
    </Card>
  )
}

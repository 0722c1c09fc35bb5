import { ArrowRightIcon, CircleAlertIcon, CircleCheckIcon, NetworkIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { OriginSentence } from '@/components/origin-sentence'
import { RelationBadge } from '@/components/relation-badge'
import { Button } from '@/components/ui/button'
import { formatCompact } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { UploadOutcome } from '@/lib/upload'
import { uploadWords } from '@/strings/upload'

const words = uploadWords.uploadResultCard

/** What the weights said: the parent by name, how sure that is, and where to look next. */
export function UploadResultCard({ outcome }: { outcome: UploadOutcome }) {
  const { model, evidence } = outcome
  const failed = model.status === 'error'
  return (
    <div
      role="status"
      className="border-primary/25 bg-accent/50 rounded-lg border p-4"
      data-testid="upload-result"
    >
      <p className="text-accent-foreground flex items-center gap-2 text-sm font-medium">
        {failed ? (
          <CircleAlertIcon aria-hidden className="text-destructive size-4 shrink-0" />
        ) : (
          <CircleCheckIcon aria-hidden className="size-4 shrink-0" />
        )}
        {failed ? words.unreadable(model.name) : words.done(model.name)}
      </p>
      <p className="mt-2 text-base text-pretty">
        <OriginSentence model={model} evidence={evidence ?? undefined} />
      </p>
      <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
        {model.relation && <RelationBadge relation={model.relation} hint />}
        {model.confidence_score !== null && <Confidence value={model.confidence_score} />}
        <span className="text-muted-foreground tabular-nums">
          {formatCompact(model.total_parameters)} {words.parameters}
          {model.layer_count !== null && words.layers(model.layer_count)}
        </span>
      </div>
      <div className="mt-4 flex flex-wrap gap-2">
        <Button asChild size="sm">
          <Link to={paths.model(model.id)}>
            {words.openModel}
            <ArrowRightIcon aria-hidden />
          </Link>
        </Button>
        {model.family_id && (model.family_size ?? 1) > 1 && (
          <Button asChild size="sm" variant="outline">
            <Link to={paths.family(model.family_id, model.id)}>
              <NetworkIcon aria-hidden />
              {words.seeItInIts}
            </Link>
          </Button>
        )}
      </div>
    </div>
  )
}

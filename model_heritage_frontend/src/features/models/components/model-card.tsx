import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { FamilyBadge } from '@/components/family-badge'
import { RelationBadge } from '@/components/relation-badge'
import { StatusBadge } from '@/components/status-badge'
import { Badge } from '@/components/ui/badge'
import { Skeleton } from '@/components/ui/skeleton'
import { formatBytes, formatCompact } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Model } from '@/lib/types'
import { modelParts } from '@/strings/models'

const words = modelParts.modelCard

function Heritage({ model }: { model: Model }) {
  if (model.status === 'error') {
    return <p className="text-destructive line-clamp-2 text-sm">{model.error}</p>
  }
  if (model.relation && model.confidence_score !== null) {
    return (
      <div className="space-y-2">
        <p className="text-muted-foreground truncate text-sm">
          {words.from} <span className="text-foreground font-medium">{model.parent_name}</span>
        </p>
        <div className="flex items-center justify-between gap-3">
          <RelationBadge relation={model.relation} />
          <Confidence value={model.confidence_score} />
        </div>
      </div>
    )
  }
  const size = model.family_size ?? 1
  return (
    <div className="space-y-2">
      <p className="text-muted-foreground truncate text-sm">
        {model.status === 'processing'
          ? words.reading
          : size <= 1
            ? words.alone
            : model.is_root
              ? words.rootOf(size)
              : words.ghost}
      </p>
      <div className="flex h-6 items-center">
        {model.is_root && size > 1 && <Badge>{words.root}</Badge>}
      </div>
    </div>
  )
}

interface ModelCardProps {
  model: Model
  /** In its corner, above the link that the card is. */
  action?: ReactNode
}

/** One model in the catalogue. The whole card leads to the model; the badge to its family. */
export function ModelCard({ model, action }: ModelCardProps) {
  return (
    <article className="group bg-card hover:border-ring/60 relative flex flex-col rounded-xl border p-5 shadow-xs transition-[border-color,box-shadow] hover:shadow-md">
      <div className="flex items-start justify-between gap-3">
        <h2 className="min-w-0 text-base leading-snug font-semibold">
          <Link
            to={paths.model(model.id)}
            className="line-clamp-2 [overflow-wrap:anywhere] after:absolute after:inset-0 after:rounded-xl"
          >
            {model.name}
          </Link>
        </h2>
        <div className="-mt-0.5 -mr-1.5 flex shrink-0 items-center gap-2">
          {model.status !== 'ok' && <StatusBadge status={model.status} />}
          {action}
        </div>
      </div>
      <p className="text-muted-foreground mt-1 mb-4 text-sm tabular-nums">
        {model.total_parameters === null
          ? formatBytes(model.file_size)
          : words.parameters(formatCompact(model.total_parameters))}
        {model.layer_count !== null && words.layers(model.layer_count)}
      </p>
      <div className="mt-auto">
        <Heritage model={model} />
      </div>
      {model.family_id && model.family_name && (
        <div className="relative mt-4 flex items-center justify-between gap-2 border-t pt-4">
          <FamilyBadge id={model.family_id} name={model.family_name} model={model.id} />
          {model.status === 'ok' && <StatusBadge status="ok" />}
        </div>
      )}
    </article>
  )
}

/** One model in the catalogue. The whole card leads to the model; the badge to its family. */
export function ModelCardSkeleton() {
  return (
    <div className="bg-card rounded-xl border p-5">
      <Skeleton className="h-5 w-2/3" />
      <Skeleton className="mt-2 h-4 w-1/2" />
      <Skeleton className="mt-6 h-4 w-3/5" />
      <Skeleton className="mt-3 h-6 w-full" />
      <Skeleton className="mt-5 h-6 w-2/5" />
    </div>
  )
}

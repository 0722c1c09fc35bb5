import { CircleAlertIcon, LoaderCircleIcon } from 'lucide-react'

import { Badge } from '@/components/ui/badge'
import type { ModelStatus } from '@/lib/types'
import { commonWords } from '@/strings/common'

const words = commonWords.statusBadge

/** Only what needs attention is shown loudly: a model that is well has a quiet mark. */
export function StatusBadge({ status }: { status: ModelStatus }) {
  if (status === 'processing') {
    return (
      <Badge variant="muted">
        <LoaderCircleIcon aria-hidden className="animate-spin" />
        {words.processing}
      </Badge>
    )
  }
  if (status === 'error') {
    return (
      <Badge variant="destructive">
        <CircleAlertIcon aria-hidden />
        {words.error}
      </Badge>
    )
  }
  return (
    <span className="text-muted-foreground inline-flex h-6 items-center gap-1.5 text-xs">
      <span aria-hidden className="bg-primary size-1.5 rounded-full" />
      {words.ready}
    </span>
  )
}

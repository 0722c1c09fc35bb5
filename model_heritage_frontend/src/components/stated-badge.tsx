import { UserCheckIcon } from 'lucide-react'

import { Badge } from '@/components/ui/badge'
import { commonWords } from '@/strings/common'

const words = commonWords.statedBadge

/** Marks an edge that somebody confirmed: its confidence is their word, not a measure. */
export function StatedBadge({ author }: { author: string }) {
  return (
    <Badge className="min-w-0">
      <UserCheckIcon aria-hidden />
      <span className="truncate">
        {words.statedBy} {author}
      </span>
    </Badge>
  )
}

import { NetworkIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Badge } from '@/components/ui/badge'
import { paths } from '@/lib/paths'

interface FamilyBadgeProps {
  id: string
  name: string
  /** Selects this model in the family's tree. */
  model?: string
}

export function FamilyBadge({ id, name, model }: FamilyBadgeProps) {
  return (
    <Badge asChild className="hover:bg-accent/70 min-w-0 transition-colors">
      <Link to={paths.family(id, model)} title={name}>
        <NetworkIcon aria-hidden />
        <span className="truncate">{name}</span>
      </Link>
    </Badge>
  )
}

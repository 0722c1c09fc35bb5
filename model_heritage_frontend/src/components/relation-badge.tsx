import { Badge } from '@/components/ui/badge'
import { Tooltip } from '@/components/ui/tooltip'
import { RELATION_WORDS, relationColor } from '@/lib/relations'
import type { Relation } from '@/lib/types'

/** The colour is only a second cue: the relation is always written out. */
export function RelationDot({ relation }: { relation: Relation }) {
  return (
    <span
      aria-hidden
      className="size-2 shrink-0 rounded-full"
      style={
        relation === 'unresolved'
          ? { boxShadow: `inset 0 0 0 1.5px ${relationColor(relation)}` }
          : { background: relationColor(relation) }
      }
    />
  )
}

export function RelationBadge({ relation, hint = false }: { relation: Relation; hint?: boolean }) {
  const words = RELATION_WORDS[relation]
  const badge = (
    <Badge variant="outline" tabIndex={hint ? 0 : undefined}>
      <RelationDot relation={relation} />
      {words.label}
    </Badge>
  )
  return hint ? <Tooltip content={words.explanation}>{badge}</Tooltip> : badge
}

import { Link } from 'react-router'

import { paths } from '@/lib/paths'
import { describeOrigin } from '@/lib/relations'
import type { Evidence, Model } from '@/lib/types'

interface OriginSentenceProps {
  model: Model
  evidence?: Partial<Evidence>
  /** Plain text where a link would lie inside another link. */
  linked?: boolean
}

/** "A fine-tune of base, 97% sure." with the parent's name as a link. */
export function OriginSentence({ model, evidence, linked = true }: OriginSentenceProps) {
  const { before, parent, after } = describeOrigin(model, evidence)
  if (!parent) return <>{before}</>
  return (
    <>
      {before}
      {linked ? (
        <Link
          to={paths.model(parent.id)}
          className="text-foreground hover:text-primary font-medium [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4"
        >
          {parent.name}
        </Link>
      ) : (
        <span className="text-foreground font-medium [overflow-wrap:anywhere]">{parent.name}</span>
      )}
      {after}.
    </>
  )
}

import { Fragment } from 'react'
import { Link } from 'react-router'

import { paths } from '@/lib/paths'
import { describeOrigin, type Named, type OriginContext } from '@/lib/relations'
import type { Model } from '@/lib/types'
import { commonWords } from '@/strings/common'
import { relationWords } from '@/strings/relations'

const words = commonWords.originSentence

interface OriginSentenceProps extends OriginContext {
  model: Model
  /** Plain text where a link would lie inside another link. */
  linked?: boolean
}

function Name({ named, linked }: { named: Named; linked: boolean }) {
  const common = 'text-foreground font-medium [overflow-wrap:anywhere]'
  if (!linked) return <span className={common}>{named.name}</span>
  return (
    <Link
      to={paths.model(named.id)}
      className={`${common} hover:text-primary underline decoration-current/30 underline-offset-4`}
    >
      {named.name}
    </Link>
  )
}

/** "A fine-tune of base, 97% sure." with the parents' names as links. */
export function OriginSentence({ model, linked = true, ...context }: OriginSentenceProps) {
  const { before, parents, after, runnerUp } = describeOrigin(model, context)
  if (parents.length === 0) return <>{before}</>
  return (
    <>
      {before}
      {parents.map((parent, index) => (
        <Fragment key={parent.id}>
          {index > 0 && relationWords.origin.and}
          <Name named={parent} linked={linked} />
        </Fragment>
      ))}
      {after}
      {runnerUp && (
        <>
          {words.runnerUp} <Name named={runnerUp} linked={linked} />
        </>
      )}
      .
    </>
  )
}

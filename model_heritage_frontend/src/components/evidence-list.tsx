import { CheckIcon } from 'lucide-react'
import { Link } from 'react-router'

import { describeMethod, describeSignal, explainEvidence } from '@/lib/evidence'
import { formatPercent, formatSmall } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Evidence, RunnerUp } from '@/lib/types'
import { commonWords } from '@/strings/common'

const words = commonWords.evidenceList

interface EvidenceListProps {
  evidence: Partial<Evidence>
  /** The name of another model, where the page knows it. */
  nameOf?: (id: string) => string | null
  /** The server's own sentences, where it sent them. */
  reasons?: string[]
  /** The next best parent, where the server named it. */
  runnerUp?: RunnerUp | null
}

function NextBest({ evidence, nameOf, runnerUp }: EvidenceListProps) {
  const { runner_up: id, margin } = evidence
  // Where somebody's word decided, nothing was weighed.
  if (evidence.stated_by != null) return null
  // No runner-up and no margin: nothing was weighed, as between equal copies.
  if (id === undefined || (id === null && margin == null)) return null
  if (id === null) {
    return <p className="text-muted-foreground text-sm">{words.noOtherModelHere}</p>
  }
  return (
    <p className="text-sm">
      <span className="text-muted-foreground">{words.nextBestParent} </span>
      <Link
        to={paths.model(id)}
        className="hover:text-primary font-medium [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4"
      >
        {runnerUp?.name ?? nameOf?.(id) ?? id}
      </Link>
      {margin != null && (
        <span className="text-muted-foreground">
          {' '}
          ({formatPercent(margin)} {words.behind}
        </span>
      )}
    </p>
  )
}

/** Why a parent is believed: sentences first, the measured signals behind a fold. */
export function EvidenceList({ evidence, nameOf, reasons, runnerUp }: EvidenceListProps) {
  const lines = reasons ?? explainEvidence(evidence)
  const signals = Object.entries(evidence.signals ?? {})
  const changed = evidence.changed ?? []
  return (
    <div className="space-y-3">
      {lines.length > 0 && (
        <ul className="space-y-1.5 text-sm">
          {lines.map((line) => (
            <li key={line} className="flex gap-2.5">
              <CheckIcon aria-hidden className="text-primary mt-1 size-3.5 shrink-0" />
              <span className="text-pretty">{line}</span>
            </li>
          ))}
        </ul>
      )}
      <NextBest evidence={evidence} nameOf={nameOf} runnerUp={runnerUp} />
      {(signals.length > 0 || changed.length > 0) && (
        <details className="group text-sm">
          <summary className="text-muted-foreground hover:text-foreground cursor-pointer select-none">
            {words.measuredSignals}
          </summary>
          <dl className="mt-2 space-y-1">
            {signals.map(([name, value]) => (
              <div key={name} className="flex justify-between gap-4">
                <dt className="text-muted-foreground">{describeSignal(name)}</dt>
                <dd className="tabular-nums">
                  {value < 0 ? '−' : ''}
                  {formatSmall(Math.abs(value))}
                </dd>
              </div>
            ))}
            {evidence.method && (
              <div className="flex justify-between gap-4">
                <dt className="text-muted-foreground">{words.decidedBy}</dt>
                <dd className="text-right">{describeMethod(evidence.method)}</dd>
              </div>
            )}
          </dl>
          {changed.length > 0 && (
            <>
              <p className="text-muted-foreground mt-3">{words.changedTensors}</p>
              <ul className="mt-1 space-y-0.5 font-mono text-xs [overflow-wrap:anywhere]">
                {changed.map((name) => (
                  <li key={name}>{name}</li>
                ))}
              </ul>
            </>
          )}
        </details>
      )}
    </div>
  )
}

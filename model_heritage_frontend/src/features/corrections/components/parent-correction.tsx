import { useQuery } from '@tanstack/react-query'
import { CheckIcon, PinIcon, SearchIcon, XIcon } from 'lucide-react'
import { useState, type ReactNode } from 'react'

import { Needs } from '@/components/needs'
import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Skeleton } from '@/components/ui/skeleton'
import { constraintsQuery } from '@/hooks/statement-queries'
import type { Named } from '@/lib/relations'
import { correctionWords } from '@/strings/corrections'

import type { OnSolved } from '../api/mutations'
import { CorrectionForm, type Deed } from './correction-form'
import { StatementList } from './statement-list'

interface ParentCorrectionProps {
  model: Named
  /** The parents it has now, the main one first. */
  parents: Named[]
  /** Who confirmed the main parent; null when the weights alone speak for it. */
  statedBy: string | null
  familyId: string | null
  /** `h2` on a page's card, `h3` within a panel. */
  level?: 'h2' | 'h3'
  onSolved?: OnSolved
}

const LABELS: Record<Deed, [label: string, icon: ReactNode]> = {
  confirm: [correctionWords.parent.confirm, <CheckIcon key="confirm" aria-hidden />],
  forbid: [correctionWords.parent.forbid, <XIcon key="forbid" aria-hidden />],
  choose: [correctionWords.parent.choose, <SearchIcon key="choose" aria-hidden />],
  root: [correctionWords.parent.root, <PinIcon key="root" aria-hidden />],
}

function Statements({ modelId, onSolved }: { modelId: string; onSolved: OnSolved }) {
  const statements = useQuery(constraintsQuery('models', modelId))
  if (statements.isPending) {
    return (
      <Loading label={correctionWords.parent.loading}>
        <Skeleton className="mt-4 h-10" />
      </Loading>
    )
  }
  if (statements.isError) {
    return (
      <ErrorState
        error={statements.error}
        onRetry={() => void statements.refetch()}
        className="py-6"
      />
    )
  }
  const { constraints } = statements.data
  if (constraints.length === 0) {
    return <p className="text-muted-foreground mt-3 text-sm">{correctionWords.parent.nobody}</p>
  }
  return (
    <div className="mt-5 border-t pt-4">
      <StatementList constraints={constraints} onSolved={onSolved} />
    </div>
  )
}

/** Asks whether the parent is right, and takes corrections; lists what was stated, to be taken back. */
export function ParentCorrection(props: ParentCorrectionProps) {
  const { model, parents, statedBy, familyId, level: Heading = 'h2', onSolved } = props
  const [deed, setDeed] = useState<Deed | null>(null)
  const [main] = parents
  const question = correctionWords.parent.question(parents.length)
  const deeds: Deed[] = !main
    ? ['choose', 'root']
    : statedBy !== null && parents.length === 1
      ? ['forbid', 'choose', 'root']
      : ['confirm', 'forbid', 'choose', 'root']
  const close: OnSolved = (result) => {
    // Another form may have been opened while the family was being solved: it stays.
    setDeed((now) => (now === deed ? null : now))
    onSolved?.(result)
  }
  return (
    <section aria-label={question}>
      <Heading className={Heading === 'h2' ? 'text-base font-semibold' : 'text-sm font-medium'}>
        {question}
      </Heading>
      {main && (
        <p className="text-muted-foreground mt-1 text-sm [overflow-wrap:anywhere]">
          {correctionWords.parent.names(parents.map((parent) => parent.name))}
          {statedBy !== null && correctionWords.parent.statedBy(statedBy)}
        </p>
      )}
      <Needs least="editor">
        <div className="mt-3 flex flex-wrap gap-2">
          {deeds.map((each) => {
            const [label, icon] = LABELS[each]
            return (
              <Button
                key={each}
                size="sm"
                variant={each === deed ? 'secondary' : 'outline'}
                aria-expanded={each === deed}
                onClick={() => setDeed(each === deed ? null : each)}
              >
                {icon}
                {each === 'choose' && !main ? correctionWords.parent.chooseFirst : label}
              </Button>
            )
          })}
        </div>
      </Needs>
      {deed && (
        <CorrectionForm
          key={deed}
          deed={deed}
          child={model}
          parents={parents}
          familyId={familyId}
          onCancel={() => setDeed(null)}
          onSolved={close}
        />
      )}
      <Statements modelId={model.id} onSolved={close} />
    </section>
  )
}

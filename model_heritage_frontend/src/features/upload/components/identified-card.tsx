import { PlusIcon, ScanSearchIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { Button } from '@/components/ui/button'
import { formatNumber } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Candidate, Identification } from '@/lib/types'
import { uploadWords } from '@/strings/upload'

const words = uploadWords.identifiedCard

const MOST = 5
const LINK = 'font-medium underline decoration-current/30 underline-offset-4'

interface IdentifiedCardProps {
  answer: Identification
  onAdd: () => void
}

function Verdict({ answer }: { answer: Identification }) {
  if (answer.existing_id !== null) {
    return (
      <>
        {words.theSameFileIs}{' '}
        <Link className={LINK} to={paths.model(answer.existing_id)}>
          {words.openTheModel}
        </Link>
        .
      </>
    )
  }
  if (answer.family_id === null) return <>{words.noneOfTheModels}</>
  return (
    <>
      {words.itBelongsTo}{' '}
      <Link className={LINK} to={paths.family(answer.family_id)}>
        {answer.family_name ?? words.aFamily}
      </Link>
      {answer.parent_id === null && words.noParent}.
    </>
  )
}

function Row({ model }: { model: Candidate }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
      <Link
        to={paths.model(model.id)}
        className="font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline"
      >
        {model.name}
      </Link>
      <span className="flex items-center gap-3">
        {model.relation && <RelationBadge relation={model.relation} />}
        <Confidence value={model.confidence} />
      </span>
    </div>
  )
}

interface KinProps {
  title: string
  models: Candidate[]
  /** Why each is believed. */
  reasons?: boolean
}

function Kin({ title, models, reasons = false }: KinProps) {
  if (models.length === 0) return null
  return (
    <section className="mt-3">
      <h3 className="text-muted-foreground text-sm">{title}</h3>
      <ul className="divide-y">
        {models.slice(0, MOST).map((model) => (
          <li key={model.id} className="py-2">
            <Row model={model} />
            {reasons && model.reasons && model.reasons.length > 0 && (
              <ul className="text-muted-foreground mt-1 list-disc pl-5 text-sm">
                {model.reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
      {models.length > MOST && (
        <p className="text-muted-foreground text-sm">
          {words.and} {formatNumber(models.length - MOST)} {words.more}
        </p>
      )}
    </section>
  )
}

/** Where a file would belong, with the possible parents. It has not been stored. */
export function IdentifiedCard({ answer, onAdd }: IdentifiedCardProps) {
  // That a file is like itself is said above.
  const candidates = answer.candidates.filter(({ id }) => id !== answer.existing_id)
  const parent = candidates.filter(({ id }) => id === answer.parent_id)
  const others = candidates.filter(({ id }) => id !== answer.parent_id)
  return (
    <div role="status" className="bg-muted/60 rounded-lg border p-4" data-testid="identified">
      <p className="text-muted-foreground flex items-center gap-2 text-sm font-medium">
        <ScanSearchIcon aria-hidden className="size-4 shrink-0" />
        {words.lookedUpNotStored}
      </p>
      <p className="mt-2 text-base text-pretty">
        <Verdict answer={answer} />
      </p>
      <Kin title={words.parent} models={parent} reasons />
      <Kin title={parent.length > 0 ? words.nextBest : words.possible} models={others} />
      <Kin title={words.modelsHereThatWould} models={answer.children} />
      {answer.existing_id === null && (
        <Button size="sm" variant="outline" className="mt-3" onClick={onAdd}>
          <PlusIcon aria-hidden />
          {words.addItAfterAll}
        </Button>
      )}
    </div>
  )
}

import { PlusIcon, ScanSearchIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { Button } from '@/components/ui/button'
import { paths } from '@/lib/paths'
import type { Identification } from '@/lib/types'

const MOST = 5

interface IdentifiedCardProps {
  answer: Identification
  onAdd: () => void
}

function Verdict({ answer }: { answer: Identification }) {
  if (answer.family_id === null) return <>None of the models here is related to this file.</>
  return (
    <>
      It belongs to{' '}
      <Link
        to={paths.family(answer.family_id)}
        className="font-medium underline decoration-current/30 underline-offset-4"
      >
        {answer.family_name ?? 'a family here'}
      </Link>
      {answer.parent_id === null && ', but none of its members is the parent'}.
    </>
  )
}

/** Where a file would belong, with the possible parents. It has not been stored. */
export function IdentifiedCard({ answer, onAdd }: IdentifiedCardProps) {
  return (
    <div role="status" className="bg-muted/60 rounded-lg border p-4" data-testid="identified">
      <p className="text-muted-foreground flex items-center gap-2 text-sm font-medium">
        <ScanSearchIcon aria-hidden className="size-4 shrink-0" />
        Looked up, not stored
      </p>
      <p className="mt-2 text-base text-pretty">
        <Verdict answer={answer} />
      </p>
      {answer.candidates.length > 0 && (
        <>
          <p className="text-muted-foreground mt-3 text-sm">Possible parents</p>
          <ul className="divide-y">
            {answer.candidates.slice(0, MOST).map((candidate) => (
              <li
                key={candidate.id}
                className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2"
              >
                <Link
                  to={paths.model(candidate.id)}
                  className="font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline"
                >
                  {candidate.name}
                </Link>
                <span className="flex items-center gap-3">
                  <RelationBadge relation={candidate.relation} />
                  <Confidence value={candidate.confidence} />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <Button size="sm" variant="outline" className="mt-3" onClick={onAdd}>
        <PlusIcon aria-hidden />
        Add it after all
      </Button>
    </div>
  )
}

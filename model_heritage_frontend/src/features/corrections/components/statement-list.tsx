import { Undo2Icon } from 'lucide-react'

import { Ago } from '@/components/time'
import { Button } from '@/components/ui/button'
import { useMay } from '@/hooks/use-may'
import { useAuthor } from '@/hooks/use-author'
import { describeConstraint, type Constraint } from '@/lib/statements'
import { correctionWords } from '@/strings/corrections'

import { useTakeBack, type OnSolved } from '../api/mutations'

interface TakeBackProps {
  /** What is taken back, for those who hear the button alone. */
  what: string
  id: string
  onSolved: OnSolved
}

export function TakeBack({ what, id, onSolved }: TakeBackProps) {
  const may = useMay()
  const takeBack = useTakeBack(onSolved)
  const { author } = useAuthor()
  if (!may('editor')) return null
  return (
    <Button
      variant="outline"
      size="sm"
      aria-label={correctionWords.statements.takeBackWhat(what)}
      disabled={takeBack.isPending}
      onClick={() => takeBack.mutate({ id, author })}
    >
      <Undo2Icon aria-hidden />
      {takeBack.isPending ? correctionWords.solving : correctionWords.statements.takeBack}
    </Button>
  )
}

interface StatementListProps {
  constraints: Constraint[]
  onSolved: OnSolved
}

/** The statements in force, with who said so, why and when. */
export function StatementList({ constraints, onSolved }: StatementListProps) {
  return (
    <ul className="divide-y">
      {constraints.map((constraint) => {
        const sentence = describeConstraint(constraint)
        return (
          <li
            key={constraint.id}
            className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0"
          >
            <div className="min-w-0 flex-1 basis-48 text-sm">
              <p className="font-medium [overflow-wrap:anywhere]">{sentence}</p>
              <p className="text-muted-foreground mt-0.5 [overflow-wrap:anywhere]">
                {constraint.author}
                {constraint.created_at && (
                  <>
                    , <Ago iso={constraint.created_at} />
                  </>
                )}
                {constraint.reason && correctionWords.statements.reason(constraint.reason)}
              </p>
            </div>
            <TakeBack what={sentence} id={constraint.id} onSolved={onSolved} />
          </li>
        )
      })}
    </ul>
  )
}

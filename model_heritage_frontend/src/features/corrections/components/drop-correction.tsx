import { ArrowRightIcon } from 'lucide-react'

import { Dialog, DialogContent, DialogDescription, DialogTitle } from '@/components/ui/dialog'
import { formatPercent } from '@/lib/format'
import type { Model } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

import type { OnSolved } from '../api/mutations'
import { CorrectionForm } from './correction-form'

/** A model that was dragged onto another one. */
export interface Dropped {
  child: Model
  parent: Model
}

interface DropCorrectionProps {
  dropped: Dropped | null
  familyId: string
  onClose: () => void
  onSolved: OnSolved
}

function Change({ child, parent }: Dropped) {
  const same = child.parent_id === parent.id
  return (
    <p className="mt-4 flex flex-wrap items-center gap-x-2.5 gap-y-1 text-sm">
      <span className="text-muted-foreground">{correctionWords.drop.itsParent}</span>
      {!same && (
        <>
          <span className="[overflow-wrap:anywhere]">
            {child.parent_name ?? correctionWords.drop.none}
            {child.parent_name !== null && child.confidence_score !== null && (
              <span className="text-muted-foreground">
                {correctionWords.drop.sure(formatPercent(child.confidence_score))}
              </span>
            )}
          </span>
          <ArrowRightIcon
            aria-label={correctionWords.drop.becomes}
            className="text-muted-foreground size-4"
          />
        </>
      )}
      <span className="[overflow-wrap:anywhere]">
        <span className="font-medium">{parent.name}</span>
        <span className="text-muted-foreground">
          {same ? correctionWords.drop.same : correctionWords.drop.byYourWord}
        </span>
      </span>
    </p>
  )
}

/** Asks who says so and why, before a dragged model gets its parent. */
export function DropCorrection({ dropped, familyId, onClose, onSolved }: DropCorrectionProps) {
  return (
    <Dialog open={dropped !== null} onOpenChange={(open) => !open && onClose()}>
      {dropped && (
        <DialogContent>
          <DialogTitle className="[overflow-wrap:anywhere]">
            {correctionWords.drop.title(dropped.parent.name, dropped.child.name)}
          </DialogTitle>
          <DialogDescription>{correctionWords.drop.text}</DialogDescription>
          <Change {...dropped} />
          <CorrectionForm
            deed="confirm"
            child={dropped.child}
            parents={[dropped.parent]}
            familyId={familyId}
            onCancel={onClose}
            onSolved={(result) => {
              onClose()
              onSolved(result)
            }}
          />
        </DialogContent>
      )}
    </Dialog>
  )
}

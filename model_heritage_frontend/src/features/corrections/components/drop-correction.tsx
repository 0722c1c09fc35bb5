import { ArrowRightIcon } from 'lucide-react'

import { Dialog, DialogContent, DialogDescription, DialogTitle } from '@/components/ui/dialog'
import { formatPercent } from '@/lib/format'
import type { Model } from '@/lib/types'

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
      <span className="text-muted-foreground">Its parent:</span>
      {!same && (
        <>
          <span className="[overflow-wrap:anywhere]">
            {child.parent_name ?? 'none'}
            {child.parent_name !== null && child.confidence_score !== null && (
              <span className="text-muted-foreground">
                , {formatPercent(child.confidence_score)} sure
              </span>
            )}
          </span>
          <ArrowRightIcon aria-label="becomes" className="text-muted-foreground size-4" />
        </>
      )}
      <span className="[overflow-wrap:anywhere]">
        <span className="font-medium">{parent.name}</span>
        <span className="text-muted-foreground">{same ? ', as it is now' : ', by your word'}</span>
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
            {dropped.parent.name} is the parent of {dropped.child.name}?
          </DialogTitle>
          <DialogDescription>
            The rest of the family is solved again around it. This can be undone at any time.
          </DialogDescription>
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

import type { ReactNode } from 'react'

import { ConfirmDialog } from '@/components/ui/alert-dialog'
import type { Model } from '@/lib/types'
import { modelsWords } from '@/strings/models'

import { DeleteConsequences } from './delete-consequences'

const words = modelsWords.delete

interface DeleteDialogProps {
  models: Model[]
  trigger: ReactNode
  onConfirm: () => void
}

/** Asks before models are deleted, and says what follows for those that stay. */
export function DeleteDialog({ models, trigger, onConfirm }: DeleteDialogProps) {
  return (
    <ConfirmDialog
      title={words.title(models.length, models[0]?.name ?? '')}
      description={words.text(models.length)}
      action={words.action(models.length)}
      destructive
      onConfirm={onConfirm}
      trigger={trigger}
    >
      <DeleteConsequences models={models} />
    </ConfirmDialog>
  )
}

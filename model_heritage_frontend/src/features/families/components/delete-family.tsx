import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Trash2Icon } from 'lucide-react'
import { useNavigate } from 'react-router'
import { toast } from 'sonner'

import { DeletionTold } from '@/components/deletion-told'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { refreshLake } from '@/hooks/queries'
import { api } from '@/lib/api'
import { paths } from '@/lib/paths'
import { describeError } from '@/lib/problem'
import type { Family } from '@/lib/types'
import { familyWords } from '@/strings/families'

const words = familyWords.actions

/** Deletes all models of a family, after saying what that means. */
export function DeleteFamily({ family }: { family: Family }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const removal = useMutation({
    mutationFn: () => api.deleteFamily(family.id),
    onSuccess: async () => {
      toast.success(words.deleting)
      await navigate(paths.jobs)
      await refreshLake(client)
    },
    onError: (error) => toast.error(describeError(error)),
  })
  return (
    <ConfirmDialog
      title={words.deleteTitle(family.name)}
      description={words.deleteText}
      action={words.deleteAction}
      destructive
      onConfirm={() => removal.mutate()}
      trigger={
        <Button
          variant="outline"
          disabled={removal.isPending}
          className="text-destructive hover:text-destructive"
        >
          <Trash2Icon aria-hidden />
          {words.delete}
        </Button>
      }
    >
      <DeletionTold of="families" id={family.id} />
    </ConfirmDialog>
  )
}

import { DownloadIcon, RotateCwIcon, Trash2Icon } from 'lucide-react'
import { useNavigate } from 'react-router'

import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { downloadUrl } from '@/lib/api'
import { paths } from '@/lib/paths'
import type { Model } from '@/lib/types'

import { useDeleteModel, useReprocessModel } from '../api/mutations'
import { EditModelDialog } from './edit-model-dialog'

export function ModelActions({ model }: { model: Model }) {
  const navigate = useNavigate()
  const reprocess = useReprocessModel(model.id)
  const removal = useDeleteModel(model.id, () => void navigate(paths.models))
  return (
    <>
      <Button asChild variant="outline">
        <a href={downloadUrl(model.id)} download>
          <DownloadIcon aria-hidden />
          Download
        </a>
      </Button>
      <EditModelDialog model={model} />
      <Button variant="outline" disabled={reprocess.isPending} onClick={() => reprocess.mutate()}>
        <RotateCwIcon aria-hidden className={reprocess.isPending ? 'animate-spin' : undefined} />
        {reprocess.isPending ? 'Reading…' : 'Reprocess'}
      </Button>
      <ConfirmDialog
        title={`Delete “${model.name}”?`}
        description="The file and everything known about it are removed, and its family is solved again without it. This cannot be undone."
        action="Delete model"
        destructive
        onConfirm={() => removal.mutate()}
        trigger={
          <Button
            variant="outline"
            disabled={removal.isPending}
            className="text-destructive hover:text-destructive"
          >
            <Trash2Icon aria-hidden />
            {removal.isPending ? 'Deleting…' : 'Delete'}
          </Button>
        }
      />
    </>
  )
}

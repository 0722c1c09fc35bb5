import { DownloadIcon, RotateCwIcon, Trash2Icon } from 'lucide-react'
import { useNavigate } from 'react-router'

import { Needs } from '@/components/needs'
import { Button } from '@/components/ui/button'
import { useMayAsOwner } from '@/hooks/use-may'
import { downloadUrl } from '@/lib/api'
import { paths } from '@/lib/paths'
import type { Model } from '@/lib/types'
import { modelWords as words } from '@/strings/model'

import { useDeleteModel, useReprocessModel } from '../api/mutations'
import { CopyAsMenu } from './copy-as-menu'
import { DeleteDialog } from './delete-dialog'
import { EditModelDialog } from './edit-model-dialog'

export function ModelActions({ model }: { model: Model }) {
  const navigate = useNavigate()
  const mayDelete = useMayAsOwner()(model.owner?.id)
  const reprocess = useReprocessModel(model.id)
  const removal = useDeleteModel(model.id, () => void navigate(paths.models))
  return (
    <>
      <Button asChild variant="outline">
        <a href={downloadUrl(model.id)} download>
          <DownloadIcon aria-hidden />
          {words.actions.download}
        </a>
      </Button>
      <CopyAsMenu model={model} />
      <Needs least="editor">
        <EditModelDialog model={model} />
        <Button variant="outline" disabled={reprocess.isPending} onClick={() => reprocess.mutate()}>
          <RotateCwIcon aria-hidden className={reprocess.isPending ? 'animate-spin' : undefined} />
          {reprocess.isPending ? words.actions.reading : words.actions.reprocess}
        </Button>
      </Needs>
      {mayDelete && (
        <DeleteDialog
          models={[model]}
          onConfirm={() => removal.mutate()}
          trigger={
            <Button
              variant="outline"
              disabled={removal.isPending}
              className="text-destructive hover:text-destructive"
            >
              <Trash2Icon aria-hidden />
              {removal.isPending ? words.actions.deleting : words.actions.delete}
            </Button>
          }
        />
      )}
    </>
  )
}

import { BrushCleaningIcon, FolderInputIcon, RefreshCwIcon } from 'lucide-react'
import { useId, useState } from 'react'

import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogContent,
  DialogDescription,
  DialogTitle,
  DialogTrigger,
} from '@/components/ui/dialog'
import { Input } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { describeError } from '@/lib/problem'

import { useCleanUp, useImportFolder, useReclusterLake } from '../api/mutations'

function ImportForm({ onStarted }: { onStarted: () => void }) {
  const id = useId()
  const [folder, setFolder] = useState('')
  const { mutate, isPending, error } = useImportFolder({ onStarted })
  return (
    <form
      className="mt-4 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        mutate(folder.trim())
      }}
    >
      <div className="space-y-1.5">
        <Label htmlFor={id}>Folder</Label>
        <Input
          id={id}
          value={folder}
          maxLength={4096}
          placeholder="/srv/checkpoints"
          spellCheck={false}
          autoCapitalize="none"
          aria-invalid={error !== null}
          aria-describedby={error ? `${id}-error` : undefined}
          onChange={(event) => setFolder(event.target.value)}
        />
        {error && (
          <p id={`${id}-error`} role="alert" className="text-destructive text-sm">
            {describeError(error)}
          </p>
        )}
      </div>
      <div className="flex justify-end">
        <Button type="submit" disabled={isPending || folder.trim() === ''}>
          Import
        </Button>
      </div>
    </form>
  )
}

function ImportDialog() {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="outline">
          <FolderInputIcon aria-hidden />
          Import a folder
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>Import a folder</DialogTitle>
        <DialogDescription>
          Every checkpoint below a folder of the server is added, as if it were uploaded. Only
          folders that the setting <code className="font-mono">import_roots</code> names are open.
        </DialogDescription>
        <ImportForm onStarted={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  )
}

/** What whoever runs the server may ask for. */
export function AdminActions() {
  const recluster = useReclusterLake()
  const cleanUp = useCleanUp()
  return (
    <>
      <ConfirmDialog
        title="Solve the whole lake again?"
        description="All families and parents are computed anew in the background. The catalogue stays usable."
        action="Solve again"
        onConfirm={() => recluster.mutate(undefined)}
        trigger={
          <Button variant="outline" disabled={recluster.isPending}>
            <RefreshCwIcon aria-hidden />
            Recluster
          </Button>
        }
      />
      <ConfirmDialog
        title="Clean up?"
        description="Removes what dead uploads and deleted models left behind, and the records of old jobs. No model is touched."
        action="Clean up"
        onConfirm={() => cleanUp.mutate(undefined)}
        trigger={
          <Button variant="outline" disabled={cleanUp.isPending}>
            <BrushCleaningIcon aria-hidden />
            Clean up
          </Button>
        }
      />
      <ImportDialog />
    </>
  )
}

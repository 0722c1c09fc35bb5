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
import { jobWords } from '@/strings/jobs'

import { useCleanUp, useImportFolder, useReclusterLake } from '../api/mutations'

const words = jobWords.adminActions

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
        <Label htmlFor={id}>{words.folder}</Label>
        <Input
          id={id}
          value={folder}
          maxLength={4096}
          placeholder={words.srvCheckpoints}
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
          {words.import}
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
          {words.importAFolder}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>{words.importAFolder}</DialogTitle>
        <DialogDescription>
          {words.everyCheckpointBelowA} <code className="font-mono">{words.importRoots}</code>{' '}
          {words.namesAreOpen}
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
        title={words.solveTheWholeLake}
        description={words.allFamiliesAndParents}
        action={words.solveAgain}
        onConfirm={() => recluster.mutate(undefined)}
        trigger={
          <Button variant="outline" disabled={recluster.isPending}>
            <RefreshCwIcon aria-hidden />
            {words.recluster}
          </Button>
        }
      />
      <ConfirmDialog
        title={words.cleanUp}
        description={words.removesWhatDeadUploads}
        action={words.cleanUp2}
        onConfirm={() => cleanUp.mutate(undefined)}
        trigger={
          <Button variant="outline" disabled={cleanUp.isPending}>
            <BrushCleaningIcon aria-hidden />
            {words.cleanUp2}
          </Button>
        }
      />
      <ImportDialog />
    </>
  )
}

import { UploadCloudIcon } from 'lucide-react'
import { useDropzone } from 'react-dropzone'

import { Button } from '@/components/ui/button'
import { cn } from '@/lib/cn'
import { PICKED_ENDINGS } from '@/lib/checkpoint-files'
import { uploadWords } from '@/strings/upload'

const words = uploadWords.fileDropZone

interface FileDropZoneProps {
  onFiles: (files: File[]) => void
  /** One line instead of a tall box, where room is short. */
  slim?: boolean
}

/** Where files can be dropped, or chosen with the button. */
export function FileDropZone({ onFiles, slim = false }: FileDropZoneProps) {
  const { getRootProps, getInputProps, open } = useDropzone({
    noClick: true,
    noKeyboard: true,
    // The drop itself is handled once, by the page-wide target that surrounds this one.
    noDrag: true,
    onDropAccepted: onFiles,
  })
  return (
    <div
      {...getRootProps({ role: undefined, tabIndex: undefined })}
      className="border-input bg-card hover:border-ring/60 rounded-xl border-2 border-dashed px-5 transition-colors"
    >
      <input {...getInputProps({ 'aria-label': words.label, accept: PICKED_ENDINGS.join(',') })} />
      <div
        className={cn(
          'flex flex-col items-center gap-4 text-center',
          slim ? 'py-5 sm:flex-row sm:text-left' : 'py-14',
        )}
      >
        <span className="bg-accent text-accent-foreground grid size-11 shrink-0 place-items-center rounded-xl">
          <UploadCloudIcon aria-hidden className="size-5" />
        </span>
        <div className={cn(slim && 'sm:flex-1')}>
          <p className="font-medium">{slim ? words.dropAnywhere : words.dropHere}</p>
          <p className="text-muted-foreground mt-0.5 text-sm">{words.safetensorsPytorchPtPth}</p>
        </div>
        <Button variant="outline" onClick={open}>
          {words.chooseFiles}
        </Button>
      </div>
    </div>
  )
}

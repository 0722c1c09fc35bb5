import { UploadCloudIcon } from 'lucide-react'
import { useDropzone } from 'react-dropzone'

import { Button } from '@/components/ui/button'
import { cn } from '@/lib/cn'
import { ACCEPTED_ENDINGS } from '@/lib/upload'

interface FileDropZoneProps {
  onFiles: (files: File[]) => void
  className?: string
  compact?: boolean
}

/** Where files can be dropped, or chosen with the button. */
export function FileDropZone({ onFiles, className, compact = false }: FileDropZoneProps) {
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
      className={cn(
        'border-input bg-card hover:border-ring/60 flex flex-col items-center justify-center rounded-xl border-2 border-dashed px-6 text-center transition-colors',
        compact ? 'gap-3 py-6' : 'gap-4 py-12',
        className,
      )}
    >
      <input
        {...getInputProps({ 'aria-label': 'Checkpoint files', accept: ACCEPTED_ENDINGS.join(',') })}
      />
      <span className="bg-accent text-accent-foreground grid size-11 place-items-center rounded-xl">
        <UploadCloudIcon aria-hidden className="size-5" />
      </span>
      <div>
        <p className="font-medium">Drop checkpoints here</p>
        <p className="text-muted-foreground mt-0.5 text-sm">
          {ACCEPTED_ENDINGS.join(', ')} – up to 5 GB each, one or many
        </p>
      </div>
      <Button variant="outline" onClick={open}>
        Choose files
      </Button>
    </div>
  )
}

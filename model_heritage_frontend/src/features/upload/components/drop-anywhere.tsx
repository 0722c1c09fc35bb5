import { UploadIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useDropzone } from 'react-dropzone'
import { useLocation, useNavigate } from 'react-router'

import { useMay } from '@/hooks/use-may'
import { paths } from '@/lib/paths'
import { uploadWords } from '@/strings/upload'

import { useUploads } from '../upload-context'

const words = uploadWords.dropAnywhere

/** Makes the whole page a target: a file dropped anywhere goes to Add Model. */
export function DropAnywhere({ children }: { children: ReactNode }) {
  const { addFiles } = useUploads()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const may = useMay()
  const { getRootProps, isDragActive } = useDropzone({
    noClick: true,
    noKeyboard: true,
    disabled: !may('editor'),
    onDrop: (accepted) => {
      // Unsuitable files are added too: their row says why they cannot be read.
      if (accepted.length === 0) return
      addFiles(accepted)
      // There already, with what the page was asked for in its address.
      if (pathname !== paths.add) void navigate(paths.add)
    },
  })
  return (
    <div
      {...getRootProps({ role: undefined, tabIndex: undefined })}
      // Where nothing may be dropped, only dropping is off, and not the whole page.
      aria-disabled={undefined}
      className="contents"
    >
      {children}
      {isDragActive && (
        <div className="animate-fade bg-background/80 pointer-events-none fixed inset-0 z-50 grid place-items-center p-6 backdrop-blur-sm">
          <div className="border-primary bg-card grid size-full place-items-center rounded-2xl border-2 border-dashed">
            <div className="text-center">
              <UploadIcon aria-hidden className="text-primary mx-auto size-8" />
              <p className="mt-3 text-lg font-semibold">{words.dropToAdd}</p>
              <p className="text-muted-foreground text-sm">{words.itsFamilyAndParent}</p>
            </div>
          </div>
        </div>
      )}
    </div>
  )
}

import { createContext, use } from 'react'

import type { Purpose, Said, UploadItem } from './queue'

export interface Uploads {
  items: UploadItem[]
  addFiles: (files: File[]) => void
  edit: (id: string, changes: Partial<Said>) => void
  /** Takes a row away; what the server has of an upload that is not ended is thrown away. */
  remove: (id: string) => void
  start: (purpose: Purpose) => void
  pause: (id: string) => void
  resume: (id: string) => void
  /** Puts a row back into the form. */
  reset: (id: string) => void
  clearFinished: () => void
}

export const UploadContext = createContext<Uploads | null>(null)

export function useUploads(): Uploads {
  const uploads = use(UploadContext)
  if (!uploads) throw new Error('useUploads needs an UploadProvider above it')
  return uploads
}

import { createContext, use } from 'react'

import type { Purpose, UploadItem } from './queue'

export interface Uploads {
  items: UploadItem[]
  addFiles: (files: File[]) => void
  edit: (id: string, changes: { name?: string; description?: string }) => void
  /** Takes a row away; one that is being sent is cancelled first. */
  remove: (id: string) => void
  start: (purpose: Purpose) => void
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

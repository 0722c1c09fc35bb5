import { apiUrl } from '@/lib/api'
import { ApiError, parseProblem, unreachable } from '@/lib/problem'
import type { UploadResult } from '@/lib/types'

export const ACCEPTED_ENDINGS = ['.safetensors', '.pt', '.pth', '.bin'] as const
export const MAX_BYTES = 5 * 1024 ** 3

export interface UploadRequest {
  file: File
  name: string
  description: string
  /** Share of the bytes that left this machine, 0 to 1; called with 1 when all have been sent. */
  onProgress: (share: number) => void
  signal: AbortSignal
}

/** The file's name without its folder and its ending. */
export function nameFromFile(filename: string): string {
  const base = filename.split(/[\\/]/).pop() ?? filename
  const ending = ACCEPTED_ENDINGS.find((each) => base.toLowerCase().endsWith(each))
  const name = ending ? base.slice(0, -ending.length) : base
  return name.trim() || base
}

/** Why this file cannot be a checkpoint, in a sentence; null when nothing speaks against sending it. */
export function refuseFile(file: { name: string; size: number }): string | null {
  const name = file.name.toLowerCase()
  if (!ACCEPTED_ENDINGS.some((ending) => name.endsWith(ending))) {
    return `Only ${ACCEPTED_ENDINGS.join(', ')} files can be read.`
  }
  if (file.size === 0) return 'This file is empty.'
  if (file.size > MAX_BYTES) return 'This file is larger than 5 GB, the most this page sends.'
  return null
}

/**
 * Sends one checkpoint as a raw body and waits for its place in the family tree.
 *
 * The raw body is streamed straight into the server's store, where a multipart form would be written
 * to disk twice. XMLHttpRequest, because fetch cannot report upload progress.
 */
export function uploadModel(upload: UploadRequest): Promise<UploadResult> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    const url = apiUrl(['models'], {
      name: upload.name,
      filename: upload.file.name,
      description: upload.description,
    })
    const abort = (): void => xhr.abort()
    const settle = (): void => upload.signal.removeEventListener('abort', abort)
    xhr.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable && event.total > 0) upload.onProgress(event.loaded / event.total)
    })
    xhr.upload.addEventListener('load', () => upload.onProgress(1))
    xhr.addEventListener('load', () => {
      settle()
      if (xhr.status < 200 || xhr.status > 299) {
        reject(parseProblem(xhr.status, xhr.responseText))
        return
      }
      resolve(JSON.parse(xhr.responseText) as UploadResult)
    })
    xhr.addEventListener('error', () => {
      settle()
      reject(unreachable())
    })
    xhr.addEventListener('abort', () => {
      settle()
      reject(
        new ApiError({
          status: 0,
          kind: 'cancelled',
          title: 'Upload cancelled',
          detail: 'You cancelled this upload. Nothing was stored.',
        }),
      )
    })
    upload.signal.addEventListener('abort', abort)
    xhr.open('PUT', url)
    xhr.setRequestHeader('Accept', 'application/json')
    xhr.setRequestHeader('Content-Type', 'application/octet-stream')
    xhr.send(upload.file)
  })
}

import { apiUrl } from '@/lib/api'
import { parseProblem, unreachable } from '@/lib/problem'
import type { Identification } from '@/lib/types'

/** What may be watched and stopped while files are looked up. */
export interface Looking {
  /** Bytes that left this machine. */
  onProgress: (bytes: number) => void
  /** Everything is sent; the server is reading. */
  onSent: () => void
  signal: AbortSignal
}

/**
 * Asks where a model belongs. Nothing is stored, so there is nothing that could be resumed: the files
 * go as one form, with XMLHttpRequest, because fetch cannot report how far they are.
 */
export function identifyFiles(
  files: File[],
  { onProgress, onSent, signal }: Looking,
): Promise<Identification> {
  const form = new FormData()
  for (const file of files) form.append('file', file)
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    const abort = (): void => {
      xhr.abort()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort)
    xhr.upload.addEventListener('progress', (event) => onProgress(event.loaded))
    xhr.upload.addEventListener('load', onSent)
    xhr.addEventListener('loadend', () => signal.removeEventListener('abort', abort))
    xhr.addEventListener('load', () => {
      if (xhr.status === 200) resolve(JSON.parse(xhr.responseText) as Identification)
      else reject(parseProblem(xhr.status, xhr.responseText))
    })
    xhr.addEventListener('error', () => reject(unreachable()))
    xhr.open('POST', apiUrl(['identify']))
    xhr.setRequestHeader('Accept', 'application/json')
    xhr.send(form)
  })
}

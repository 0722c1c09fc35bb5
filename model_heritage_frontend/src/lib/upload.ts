import { api, apiUrl } from '@/lib/api'
import { ApiError, parseProblem, unreachable } from '@/lib/problem'
import type { Evidence, Identification, Model, UploadAccepted, UploadResult } from '@/lib/types'

export const ACCEPTED_ENDINGS = ['.safetensors', '.pt', '.pth', '.bin', '.gguf', '.npz'] as const
export const MAX_BYTES = 5 * 1024 ** 3

/** A model that arrived, and why its parent is believed. */
export interface UploadOutcome {
  model: Model
  evidence: Evidence | null
}

/** What may be watched and stopped while a file is sent. */
export interface Watch {
  /** Share of the bytes that left this machine, 0 to 1; called with 1 when all have been sent. */
  onProgress: (share: number) => void
  signal: AbortSignal
}

export interface UploadRequest {
  file: File
  name: string
  description: string
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

/** Sends a body with XMLHttpRequest, because fetch cannot report upload progress. */
function sendBody<T>(
  method: string,
  url: string,
  body: File | FormData,
  { onProgress, signal }: Watch,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    const abort = (): void => xhr.abort()
    const settle = (): void => signal.removeEventListener('abort', abort)
    xhr.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total)
    })
    xhr.upload.addEventListener('load', () => onProgress(1))
    xhr.addEventListener('load', () => {
      settle()
      if (xhr.status < 200 || xhr.status > 299) {
        reject(parseProblem(xhr.status, xhr.responseText))
        return
      }
      resolve(JSON.parse(xhr.responseText) as T)
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
          detail: 'You cancelled this upload.',
        }),
      )
    })
    signal.addEventListener('abort', abort)
    xhr.open(method, url)
    xhr.setRequestHeader('Accept', 'application/json')
    // A form sets its own type, with the boundary in it.
    if (body instanceof File) xhr.setRequestHeader('Content-Type', 'application/octet-stream')
    xhr.send(body)
  })
}

const POLL_MILLISECONDS = 1000

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, POLL_MILLISECONDS)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'))
    })
  })

/**
 * Sends a checkpoint and waits until its parent is known. A big model's answer may come before that
 * (202): then the stored model is asked again and again.
 *
 * The body is the bare file: that is streamed straight into the server's store, where a multipart
 * form would be written to disk twice.
 */
export async function uploadModel(upload: UploadRequest, watch: Watch): Promise<UploadOutcome> {
  const { file, name, description } = upload
  const url = apiUrl(['models'], { name, filename: file.name, description })
  const answer = await sendBody<UploadResult | UploadAccepted>('PUT', url, file, watch)
  if (answer.status !== 'processing')
    return { model: answer.model, evidence: answer.edge?.evidence ?? null }
  let model = await api.getModel(answer.model_id, watch.signal)
  while (model.status === 'processing') {
    await pause(watch.signal)
    model = await api.getModel(answer.model_id, watch.signal)
  }
  return { model, evidence: model.lineage.parent?.evidence ?? null }
}

/** Asks where a checkpoint belongs. Nothing is stored. */
export function identifyFile(file: File, watch: Watch): Promise<Identification> {
  const form = new FormData()
  form.append('file', file)
  return sendBody<Identification>('POST', apiUrl(['identify']), form, watch)
}

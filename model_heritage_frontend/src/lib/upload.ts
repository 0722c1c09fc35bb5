import { api, apiUrl } from '@/lib/api'
import { ApiError, parseProblem, unreachable } from '@/lib/problem'
import type { Evidence, Model, UploadAccepted, UploadResult } from '@/lib/types'

export const ACCEPTED_ENDINGS = ['.safetensors', '.pt', '.pth', '.bin'] as const
export const MAX_BYTES = 5 * 1024 ** 3

/** A model that arrived, and why its parent is believed. */
export interface UploadOutcome {
  model: Model
  evidence: Evidence | null
}

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
export function sendFile(upload: UploadRequest): Promise<UploadResult | UploadAccepted> {
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
      resolve(JSON.parse(xhr.responseText) as UploadResult | UploadAccepted)
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
 */
export async function uploadModel(upload: UploadRequest): Promise<UploadOutcome> {
  const answer = await sendFile(upload)
  if ('model' in answer) return { model: answer.model, evidence: answer.edge?.evidence ?? null }
  let model = await api.getModel(answer.model_id, upload.signal)
  while (model.status === 'processing') {
    await pause(upload.signal)
    model = await api.getModel(answer.model_id, upload.signal)
  }
  return { model, evidence: model.lineage.parent?.evidence ?? null }
}

import { api, apiUrl } from '@/lib/api'
import { ApiError, parseProblem, unreachable } from '@/lib/problem'
import type { Evidence, Identification, Model, UploadAccepted, UploadResult } from '@/lib/types'

export const ARCHIVE_ENDING = '.zip'
export const ACCEPTED_ENDINGS = [
  '.safetensors',
  '.gguf',
  '.npz',
  '.pt',
  '.pth',
  '.ckpt',
  '.bin',
  ARCHIVE_ENDING,
] as const
/** Also of the texts that come with weights: alone they are refused. */
export const PICKED_ENDINGS = [...ACCEPTED_ENDINGS, '.json', '.md'] as const
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
  /** One checkpoint, or all files of one model. */
  files: File[]
  name: string
  description: string
}

export const hasEnding = (filename: string, endings: readonly string[]): boolean =>
  endings.some((ending) => filename.toLowerCase().endsWith(ending))

/** The file's name without its folder and its ending. */
export function nameFromFile(filename: string): string {
  const base = filename.split(/[\\/]/).pop() ?? filename
  const ending = ACCEPTED_ENDINGS.find((each) => base.toLowerCase().endsWith(each))
  const name = ending ? base.slice(0, -ending.length) : base
  return name.trim() || base
}

/** Why this file cannot be a checkpoint, in a sentence; null when nothing speaks against sending it. */
export function refuseFile(file: { name: string; size: number }): string | null {
  if (!hasEnding(file.name, ACCEPTED_ENDINGS)) {
    return `Only ${ACCEPTED_ENDINGS.join(', ')} files can be read.`
  }
  if (file.size === 0) return 'This file is empty.'
  if (file.size > MAX_BYTES) return 'This file is larger than 5 GB, the most this page sends.'
  return null
}

/** As `refuseFile`, for the files of one model. */
export function refuseFiles(files: { name: string; size: number }[]): string | null {
  const [first] = files
  if (first && files.length === 1) return refuseFile(first)
  const empty = files.find((file) => file.size === 0)
  if (empty) return `“${empty.name}” is empty.`
  if (files.reduce((sum, file) => sum + file.size, 0) > MAX_BYTES)
    return 'Together these files are larger than 5 GB, the most this page sends.'
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

function makeForm(files: File[], fields: Record<string, string> = {}): FormData {
  const form = new FormData()
  for (const [field, text] of Object.entries(fields)) form.append(field, text)
  for (const file of files) form.append('file', file)
  return form
}

function sendModel(
  { files, name, description }: UploadRequest,
  watch: Watch,
): Promise<UploadResult | UploadAccepted> {
  const [first] = files
  if (first && files.length === 1) {
    const url = apiUrl(['models'], { name, filename: first.name, description })
    return sendBody('PUT', url, first, watch)
  }
  return sendBody('POST', apiUrl(['models']), makeForm(files, { name, description }), watch)
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
 * Sends a model and waits until its parent is known. A big model's answer may come before that
 * (202): then the stored model is asked again and again.
 *
 * The body of one file is bare: that is streamed straight into the server's store. Several go as
 * one form, of which the server makes one model.
 */
export async function uploadModel(upload: UploadRequest, watch: Watch): Promise<UploadOutcome> {
  const answer = await sendModel(upload, watch)
  if (answer.status !== 'processing')
    return { model: answer.model, evidence: answer.edge?.evidence ?? null }
  let model = await api.getModel(answer.model_id, watch.signal)
  while (model.status === 'processing') {
    await pause(watch.signal)
    model = await api.getModel(answer.model_id, watch.signal)
  }
  return { model, evidence: model.lineage.parent?.evidence ?? null }
}

/** Asks where a model belongs. Nothing is stored. */
export function identifyFiles(files: File[], watch: Watch): Promise<Identification> {
  return sendBody<Identification>('POST', apiUrl(['identify']), makeForm(files), watch)
}

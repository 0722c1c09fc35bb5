import { api } from '@/lib/api'
import { ApiError, unreachable } from '@/lib/problem'
import { forgetFile, isPassing, sendFile } from '@/lib/resumable'
import { fingerprintFile } from '@/lib/fingerprint'
import type { Evidence, Job, Model, Words } from '@/lib/types'

/** A model that arrived, and why its parent is believed. */
export interface UploadOutcome {
  model: Model
  evidence: Evidence | null
}

/** What may be watched and stopped while a model is sent. */
export interface Watch {
  /** Bytes of all files that the server has; `file` counts from 0. */
  onProgress: (bytes: number, file: number) => void
  /** The connection is lost or the server is busy; it goes on by itself. */
  onInterrupted: () => void
  /** Everything is sent; the job, once there is one, tells how far its place is found. */
  onReading: (job: Job | null) => void
  /** What is aborted can be begun again with the same files, and goes on where it stopped. */
  signal: AbortSignal
}

/** Small files have their place at once: the first looks come soon after each other. */
const FIRST_POLLS = [80, 150, 300]
const POLL_MILLISECONDS = 700
const pollDelay = (looks: number): number => FIRST_POLLS[looks] ?? POLL_MILLISECONDS
const JOIN_DELAYS = [500, 1000, 2000, 4000, 8000, 15_000]

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop)
  })

/** Repeats a request for as long as only the moment is at fault. */
async function persist<T>(ask: () => Promise<T>, watch: Watch): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask()
    } catch (error) {
      const delay = JOIN_DELAYS[attempt]
      if (delay === undefined || !(error instanceof ApiError) || !isPassing(error, attempt))
        throw error
      watch.onInterrupted()
      await wait(delay, watch.signal)
    }
  }
}

interface Stored {
  model_id: string
  job_id: string | null
}

/**
 * Makes the model of its uploads. Asked again after a lost answer, the server would only find the
 * bytes that it has already: therefore what became of the uploads is looked up first.
 */
async function join(ids: string[], words: Words, watch: Watch): Promise<Stored> {
  const [first = ''] = ids
  const upload = await api.getUpload(first, watch.signal)
  if (upload.model_id !== null) return { model_id: upload.model_id, job_id: upload.job_id }
  return api.completeUploads(ids, words, watch.signal)
}

async function followJob(id: string, watch: Watch): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const job = await persist(() => api.getJob(id, watch.signal), watch)
    if (job.state !== 'queued' && job.state !== 'running') return
    watch.onReading(job)
    await wait(pollDelay(looks), watch.signal)
  }
}

const anchorOf = async ([first]: File[]): Promise<string> => (first ? fingerprintFile(first) : '')

/**
 * Sends all files of one model, or what is missing of them, has them joined, and waits until the
 * model's place in the family tree is known.
 *
 * Also a single file is sent as a part and joined: so what people say of it counts as it stands at
 * the end, even when the upload was begun on another day; and a refusal, or that the file is here
 * already, is the answer to one plain request.
 */
export async function uploadModel(
  files: File[],
  words: Words,
  watch: Watch,
): Promise<UploadOutcome> {
  const anchor = await anchorOf(files)
  const ids: string[] = []
  let before = 0
  for (const [place, file] of files.entries()) {
    const base = before
    const id = await sendFile(file, anchor, {
      ...watch,
      onProgress: (bytes) => watch.onProgress(base + bytes, place),
    })
    if (id === '') throw unreachable()
    ids.push(id)
    before += file.size
    watch.onProgress(before, place)
  }
  watch.onReading(null)
  let stored: Stored
  try {
    stored = await persist(() => join(ids, words, watch), watch)
  } catch (error) {
    // What is here already needs no second upload; after another refusal the parts can be used again.
    if (error instanceof ApiError && error.existingId !== null) await forget(files, false)
    throw error
  }
  await forget(files, false)
  if (stored.job_id !== null) await followJob(stored.job_id, watch)
  for (let looks = 0; ; looks += 1) {
    const model = await persist(() => api.getModel(stored.model_id, watch.signal), watch)
    if (model.status !== 'processing')
      return { model, evidence: model.lineage.parent?.evidence ?? null }
    await wait(pollDelay(looks), watch.signal)
  }
}

async function forget(files: File[], remove: boolean): Promise<void> {
  const anchor = await anchorOf(files)
  for (const file of files) await forgetFile(file, anchor, { remove })
}

/** Throws away what the server has of these files, unless they are a model already. */
export const discardUpload = (files: File[]): Promise<void> => forget(files, true)

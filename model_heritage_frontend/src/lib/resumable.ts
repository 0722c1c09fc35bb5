import type { DetailedError, HttpResponse, PreviousUpload, Upload } from 'tus-js-client'

import { API_ROOT } from '@/lib/api'
import { fingerprintFile } from '@/lib/fingerprint'
import { ApiError, describeError, parseProblem, unreachable } from '@/lib/problem'
import { commonWords } from '@/strings/common'

const ENDPOINT = `${API_ROOT}/uploads`
/** For ten minutes an upload goes on by itself; then there is a button. */
const RETRY_DELAYS = [500, 1000, 2000, 4000, 8000, ...Array<number>(60).fill(10_000)]
/** A server that answers, but with its own faults, is not asked that long. */
const SERVER_RETRIES = 5

export interface Sending {
  /** Bytes of this file that the server has. */
  onProgress: (bytes: number) => void
  /** The connection is lost, or the server is busy; it is tried again by itself. */
  onInterrupted: () => void
  signal: AbortSignal
}

/** Loaded with the first upload: most visitors only look around. */
const loadTus = () => import('tus-js-client')

function problemOf(error: Error | DetailedError): ApiError {
  if (!('originalResponse' in error))
    return new ApiError({
      status: 0,
      kind: 'unexpected',
      title: commonWords.errors.upload,
      detail: describeError(error),
    })
  const response: HttpResponse | null = error.originalResponse
  return response === null || response.getStatus() === 0
    ? unreachable()
    : parseProblem(response.getStatus(), response.getBody())
}

/** Whether the same request may succeed a little later: never so where the file itself is at fault. */
export function isPassing(error: ApiError, attempt: number): boolean {
  if (error.status === 0) return error.kind === 'unreachable'
  if (error.status === 423) return true
  // Where the upload stands is asked before the next try.
  if (error.status === 409) return error.kind === 'conflict' && attempt < SERVER_RETRIES
  return error.status >= 500 && error.status !== 507 && attempt < SERVER_RETRIES
}

/** Where uploads of this file were begun, on this machine, and not ended. */
async function findBegun(upload: Upload): Promise<PreviousUpload[]> {
  const found = await upload.findPreviousUploads()
  return found.filter(({ uploadUrl }) => uploadUrl !== null)
}

/**
 * Sends one file, or what is missing of it, and gives the upload's id. Stopping it by the signal
 * keeps what has arrived: the next call with the same file goes on from there, even after the page
 * was closed.
 *
 * @param anchor What the file belongs to. The same README may lie beside two models.
 */
export async function sendFile(file: File, anchor: string, watch: Sending): Promise<string> {
  const tus = await loadTus()
  const fingerprint = `${await fingerprintFile(file)}|${anchor}`
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      void upload.abort(false)
      reject(watch.signal.reason as Error)
    }
    const settle = (): void => watch.signal.removeEventListener('abort', stop)
    const upload = new tus.Upload(file, {
      endpoint: ENDPOINT,
      retryDelays: RETRY_DELAYS,
      metadata: { filename: file.name, part: '1' },
      fingerprint: () => Promise.resolve(fingerprint),
      onProgress: (bytes) => watch.onProgress(bytes),
      onShouldRetry: (error, attempt) => {
        const passing = isPassing(problemOf(error), attempt)
        if (passing) watch.onInterrupted()
        return passing
      },
      onError: (error) => {
        settle()
        reject(problemOf(error))
      },
      onSuccess: () => {
        settle()
        resolve(upload.url?.split('/').pop() ?? '')
      },
    })
    watch.signal.addEventListener('abort', stop)
    findBegun(upload)
      .then(([begun]) => {
        if (begun) upload.resumeFromPreviousUpload(begun)
        // It may have been stopped while its fingerprint was taken.
        watch.signal.throwIfAborted()
        upload.start()
      })
      .catch((error: unknown) => {
        void upload.abort(false)
        reject(problemOf(error instanceof Error ? error : new Error(String(error))))
      })
  })
}

/**
 * Forgets where uploads of this file stand, so that the same file begins anew.
 *
 * @param remove Also ask the server to throw away what it has of them.
 */
export async function forgetFile(
  file: File,
  anchor: string,
  { remove }: { remove: boolean },
): Promise<void> {
  const tus = await loadTus()
  const { urlStorage } = tus.defaultOptions
  const fingerprint = `${await fingerprintFile(file)}|${anchor}`
  for (const begun of await urlStorage.findUploadsByFingerprint(fingerprint)) {
    await urlStorage.removeUpload(begun.urlStorageKey)
    // Without an answer the server throws it away by itself, after some hours.
    if (remove && begun.uploadUrl !== null)
      await tus.Upload.terminate(begun.uploadUrl, { retryDelays: [500, 2000] }).catch(
        () => undefined,
      )
  }
}

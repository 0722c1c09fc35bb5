import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useReducer, useRef, type ReactNode } from 'react'

import { refreshLake } from '@/hooks/queries'
import { identifyFiles } from '@/lib/identify'
import { ApiError, describeError } from '@/lib/problem'
import { discardUpload, uploadModel } from '@/lib/upload'
import { commonWords } from '@/strings/common'

import { filesOf } from '../file-sets'
import {
  isPending,
  nextUpload,
  reduceUploads,
  wordsOf,
  type UploadItem,
  type UploadState,
} from '../queue'
import { Speedometer } from '../speed'
import { UploadContext, type Uploads } from '../upload-context'

/** Numbers that change faster cannot be read. */
const SHOW_MILLISECONDS = 250

const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError({
        status: 0,
        kind: 'unexpected',
        title: commonWords.errors.upload,
        detail: describeError(error),
      })

/** Shows progress from time to time, with the speed. */
function makeProgress(show: (state: UploadState) => void) {
  const meter = new Speedometer()
  let shown = -Infinity
  let latest = { bytes: 0, file: 0 }
  return {
    advance: (bytes: number, file: number) => {
      latest = { bytes, file }
      const now = performance.now()
      if (now - shown < SHOW_MILLISECONDS) return
      shown = now
      const speed = meter.measure(bytes, now)
      show({ kind: 'sending', ...latest, speed, interrupted: false })
    },
    interrupt: () => show({ kind: 'sending', ...latest, speed: null, interrupted: true }),
  }
}

/** Holds the upload queue above the pages, so that walking about does not stop an upload. */
export function UploadProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [items, dispatch] = useReducer(reduceUploads, [])
  const controllers = useRef(new Map<string, AbortController>())

  const send = useCallback(
    async (item: UploadItem) => {
      const { id, purpose } = item
      const files = filesOf(item)
      const controller = new AbortController()
      const { signal } = controller
      controllers.current.set(id, controller)
      // What was stopped may still report: its row says something else by then.
      const setState = (state: UploadState) => {
        if (!signal.aborted) dispatch({ type: 'state', id, state })
      }
      const progress = makeProgress(setState)
      setState({ kind: 'sending', bytes: 0, file: 0, speed: null, interrupted: false })
      try {
        if (purpose === 'identify') {
          const answer = await identifyFiles(files, {
            signal,
            onProgress: (bytes) => progress.advance(bytes, 0),
            onSent: () => setState({ kind: 'reading', job: null }),
          })
          setState({ kind: 'identified', answer })
          return
        }
        const outcome = await uploadModel(files, wordsOf(item), {
          signal,
          onProgress: progress.advance,
          onInterrupted: progress.interrupt,
          onReading: (job) => setState({ kind: 'reading', job }),
        })
        setState({ kind: 'done', outcome })
        await refreshLake(client)
      } catch (error) {
        setState({ kind: 'failed', error: asApiError(error) })
      } finally {
        if (controllers.current.get(id) === controller) controllers.current.delete(id)
      }
    },
    [client],
  )

  const next = nextUpload(items)
  useEffect(() => {
    if (next && !controllers.current.has(next.id)) void send(next)
  }, [next, send])

  const pending = items.some(isPending)
  useEffect(() => {
    if (!pending) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [pending])

  const uploads = useMemo<Uploads>(() => {
    const stop = (id: string) => {
      controllers.current.get(id)?.abort(new Error('stopped'))
      controllers.current.delete(id)
    }
    const discard = ({ purpose, state, ...set }: UploadItem) => {
      const begun = ['waiting', 'sending', 'paused', 'failed'].includes(state.kind)
      if (purpose === 'add' && begun) void discardUpload(filesOf(set))
    }
    return {
      items,
      addFiles: (files) => dispatch({ type: 'add', files }),
      edit: (id, changes) => dispatch({ type: 'edit', id, changes }),
      remove: (id) => {
        stop(id)
        items.filter((item) => item.id === id).forEach(discard)
        dispatch({ type: 'remove', id })
      },
      start: (purpose) => dispatch({ type: 'start', purpose }),
      pause: (id) => {
        stop(id)
        dispatch({ type: 'pause', id })
      },
      resume: (id) => dispatch({ type: 'resume', id }),
      reset: (id) => dispatch({ type: 'reset', id }),
      clearFinished: () => {
        items.filter((item) => item.state.kind === 'failed').forEach(discard)
        dispatch({ type: 'clear-finished' })
      },
    }
  }, [items])
  return <UploadContext value={uploads}>{children}</UploadContext>
}

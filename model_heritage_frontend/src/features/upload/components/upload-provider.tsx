import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useReducer, useRef, type ReactNode } from 'react'

import { refreshLake } from '@/hooks/queries'
import { ApiError, describeError } from '@/lib/problem'
import { identifyFiles, uploadModel, type Watch } from '@/lib/upload'

import { filesOf } from '../file-sets'
import { isPending, nextUpload, reduceUploads, type UploadItem, type UploadState } from '../queue'
import { UploadContext, type Uploads } from '../upload-context'

const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError({
        status: 0,
        kind: 'unexpected',
        title: 'The upload failed',
        detail: describeError(error),
      })

/** Holds the upload queue above the pages, so that walking about does not stop an upload. */
export function UploadProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [items, dispatch] = useReducer(reduceUploads, [])
  const controllers = useRef(new Map<string, AbortController>())

  const send = useCallback(
    async (item: UploadItem) => {
      const { id, name, description, purpose } = item
      const files = filesOf(item)
      const controller = new AbortController()
      controllers.current.set(id, controller)
      const setState = (state: UploadState) => dispatch({ type: 'state', id, state })
      const watch: Watch = {
        signal: controller.signal,
        onProgress: (share) =>
          setState(share >= 1 ? { kind: 'reading' } : { kind: 'sending', share }),
      }
      setState({ kind: 'sending', share: 0 })
      try {
        if (purpose === 'identify') {
          setState({ kind: 'identified', answer: await identifyFiles(files, watch) })
          return
        }
        const upload = { files, name: name.trim(), description: description.trim() }
        setState({ kind: 'done', outcome: await uploadModel(upload, watch) })
        await refreshLake(client)
      } catch (error) {
        setState({ kind: 'failed', error: asApiError(error) })
      } finally {
        controllers.current.delete(id)
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

  const uploads = useMemo<Uploads>(
    () => ({
      items,
      addFiles: (files) => dispatch({ type: 'add', files }),
      edit: (id, changes) => dispatch({ type: 'edit', id, changes }),
      remove: (id) => {
        controllers.current.get(id)?.abort()
        dispatch({ type: 'remove', id })
      },
      start: (purpose) => dispatch({ type: 'start', purpose }),
      reset: (id) => dispatch({ type: 'reset', id }),
      clearFinished: () => dispatch({ type: 'clear-finished' }),
    }),
    [items],
  )
  return <UploadContext value={uploads}>{children}</UploadContext>
}

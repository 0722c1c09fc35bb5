import { formatBytes } from '@/lib/format'
import type { Job } from '@/lib/types'
import { jobWords } from '@/strings/jobs'

export const KIND_WORDS = jobWords.kinds
export const STATE_WORDS = jobWords.states

/** Jobs that every editor may ask for, and so cancel and repeat. */
export const EDITORS_KINDS: readonly Job['kind'][] = ['process', 'reprocess', 'rebuild']

/** Whether it can be tried again. */
export const isRetryable = ({ state }: Job): boolean => state === 'failed' || state === 'cancelled'

const numberOf = (result: Record<string, unknown>, key: string): number => {
  const value = result[key]
  return typeof value === 'number' ? value : 0
}

/** What came of an import or of cleaning up; other jobs are told by the models they changed. */
export function describeResult({ kind, result }: Job): string | null {
  if (result === null) return null
  const count = (key: string) => numberOf(result, key)
  if (kind === 'import') {
    const parts = [
      jobWords.results.added(count('stored')),
      ...(count('duplicates') > 0 ? [jobWords.results.alreadyHere(count('duplicates'))] : []),
      ...(count('unreadable') > 0 ? [jobWords.results.unreadable(count('unreadable'))] : []),
    ]
    return `${parts.join(', ')}.`
  }
  if (kind === 'delete') {
    return jobWords.results.deleted(count('models_deleted'), formatBytes(count('bytes_freed')))
  }
  if (kind === 'cleanup') {
    const files = count('staged_files') + count('orphan_files')
    const bytes = count('staged_bytes') + count('orphan_bytes')
    if (files === 0) return jobWords.results.nothing
    return jobWords.results.removed(files, formatBytes(bytes))
  }
  return null
}

/** The first files that an import could not read, with the reason. */
export function listImportErrors({ kind, result }: Job, most = 5): string[] {
  const errors = kind === 'import' ? result?.errors : null
  if (!Array.isArray(errors)) return []
  return errors.slice(0, most).map((error: { path?: unknown; detail?: unknown }) => {
    return `${String(error.path)}: ${String(error.detail)}`
  })
}

/** The folder of an import. */
export const folderOf = ({ parameters }: Job): string | null =>
  typeof parameters.folder === 'string' ? parameters.folder : null

/** Whose models a deletion takes, if it takes all of one owner. */
export const ownerOf = ({ kind, parameters }: Job): string | null =>
  kind === 'delete' && typeof parameters.owner === 'string' ? parameters.owner : null

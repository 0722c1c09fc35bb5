import { formatBytes, plural } from '@/lib/format'
import type { Job, JobKind, JobState } from '@/lib/types'

export const KIND_WORDS: Record<JobKind, string> = {
  process: 'Read a new model',
  reprocess: 'Read a model again',
  rebuild: 'Solve a family again',
  recluster: 'Solve the whole lake again',
  import: 'Import a folder',
  cleanup: 'Clean up',
}

export const STATE_WORDS: Record<JobState, string> = {
  queued: 'Queued',
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

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
      `${plural(count('stored'), 'model')} added`,
      ...(count('duplicates') > 0 ? [`${count('duplicates')} already here`] : []),
      ...(count('unreadable') > 0 ? [`${count('unreadable')} unreadable`] : []),
    ]
    return `${parts.join(', ')}.`
  }
  if (kind === 'cleanup') {
    const files = count('staged_files') + count('orphan_files')
    const bytes = count('staged_bytes') + count('orphan_bytes')
    if (files === 0) return 'Nothing had to be removed.'
    return `${plural(files, 'file')} removed, ${formatBytes(bytes)} freed.`
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

import { nameFromFile, refuseFiles, type UploadOutcome } from '@/lib/upload'
import type { ApiError } from '@/lib/problem'
import type { Identification } from '@/lib/types'

import { filesOf, groupFiles, refuseLonePart, type FileSet } from './file-sets'

export type UploadState =
  | { kind: 'waiting' }
  /** `share` of the bytes sent, 0 to 1. */
  | { kind: 'sending'; share: number }
  /** Everything is sent; the server reads the weights and solves the family. */
  | { kind: 'reading' }
  | { kind: 'done'; outcome: UploadOutcome }
  /** Looked up without being stored. */
  | { kind: 'identified'; answer: Identification }
  | { kind: 'failed'; error: ApiError }

export type Purpose = 'add' | 'identify'

export interface UploadItem extends FileSet {
  id: string
  name: string
  description: string
  /** Why these files cannot be sent at all; null when they can. */
  refusal: string | null
  state: UploadState
  /** What the reader asked for by pressing a button; the queue takes it up in turn. */
  purpose: Purpose | null
}

export type UploadAction =
  | { type: 'add'; files: File[] }
  | { type: 'edit'; id: string; changes: { name?: string; description?: string } }
  | { type: 'remove'; id: string }
  | { type: 'start'; purpose: Purpose }
  /** Back to the form, whatever came of it. */
  | { type: 'reset'; id: string }
  | { type: 'state'; id: string; state: UploadState }
  | { type: 'clear-finished' }

let serial = 0

function makeItem(set: FileSet): UploadItem {
  serial += 1
  const files = filesOf(set)
  return {
    ...set,
    id: `upload-${serial}`,
    name: nameFromFile(set.title),
    description: '',
    refusal: refuseFiles(files) ?? (files.length === 1 ? refuseLonePart(set.title) : null),
    state: { kind: 'waiting' },
    purpose: null,
  }
}

const sameFile = (a: File, b: File): boolean =>
  a.name === b.name && a.size === b.size && a.lastModified === b.lastModified

const isWithin = (inner: FileSet, outer: FileSet): boolean =>
  filesOf(inner).every((file) => filesOf(outer).some((other) => sameFile(file, other)))

export const isReady = (item: UploadItem): boolean =>
  item.refusal === null && item.state.kind === 'waiting' && item.purpose === null

export const isBusy = (item: UploadItem): boolean =>
  item.state.kind === 'sending' || item.state.kind === 'reading'

export const isPending = (item: UploadItem): boolean =>
  isBusy(item) || (item.purpose !== null && item.state.kind === 'waiting')

export const isFinished = (item: UploadItem): boolean =>
  item.state.kind === 'done' || item.state.kind === 'identified' || item.state.kind === 'failed'

/** The next model to send: one at a time, in the order in which they were added. */
export function nextUpload(items: UploadItem[]): UploadItem | null {
  if (items.some(isBusy)) return null
  return items.find((item) => item.purpose !== null && item.state.kind === 'waiting') ?? null
}

const change = (items: UploadItem[], id: string, edit: (item: UploadItem) => UploadItem) =>
  items.map((item) => (item.id === id ? edit(item) : item))

export function reduceUploads(items: UploadItem[], action: UploadAction): UploadItem[] {
  switch (action.type) {
    case 'add': {
      const known = items.filter((item) => !isFinished(item))
      const fresh = groupFiles(action.files).filter(
        (set) => !known.some((item) => isWithin(set, item)),
      )
      // Some parts first, then all of them: the whole model takes the place of its parts.
      const replaced = items.filter(
        (item) =>
          item.state.kind === 'waiting' &&
          item.purpose === null &&
          fresh.some((set) => isWithin(item, set)),
      )
      return [...items.filter((item) => !replaced.includes(item)), ...fresh.map(makeItem)]
    }
    case 'edit':
      return change(items, action.id, (item) => ({ ...item, ...action.changes }))
    case 'remove':
      return items.filter((item) => item.id !== action.id)
    case 'start':
      return items.map((item) =>
        isReady(item) && item.name.trim() !== '' ? { ...item, purpose: action.purpose } : item,
      )
    case 'reset':
      return change(items, action.id, (item) => ({
        ...item,
        purpose: null,
        state: { kind: 'waiting' },
      }))
    case 'state':
      return change(items, action.id, (item) => ({ ...item, state: action.state }))
    case 'clear-finished':
      return items.filter((item) => !isFinished(item) && item.refusal === null)
  }
}

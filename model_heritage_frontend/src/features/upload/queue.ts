import { nameFromFile, refuseFiles } from '@/lib/checkpoint-files'
import type { ApiError } from '@/lib/problem'
import type { Identification, Job, Words } from '@/lib/types'
import type { UploadOutcome } from '@/lib/upload'
import { uploadWords } from '@/strings/upload'

import { filesOf, groupFiles, refuseLonePart, type FileSet } from './file-sets'

export type UploadState =
  | { kind: 'waiting' }
  | {
      kind: 'sending'
      /** Bytes of all its files that the server has. */
      bytes: number
      /** Which of the files is being sent, from 0. */
      file: number
      /** Bytes per second; null while too little is known. */
      speed: number | null
      /** The connection is lost, or the server busy; it goes on by itself. */
      interrupted: boolean
    }
  | { kind: 'paused'; bytes: number }
  /** Everything is sent; the server reads the weights and solves the family. */
  | { kind: 'reading'; job: Job | null }
  | { kind: 'done'; outcome: UploadOutcome }
  /** Looked up without being stored. */
  | { kind: 'identified'; answer: Identification }
  | { kind: 'failed'; error: ApiError }

/** Where the address of the page tells the purpose that is chosen. */
export const MODE = 'mode'
export type Purpose = 'add' | 'identify'

/** What a person may say of a model, as it is written in the form. */
export interface Said {
  name: string
  description: string
  licence: string
  /** With commas between them. */
  tags: string
  base: string
}

export interface UploadItem extends FileSet, Said {
  id: string
  /** Why these files cannot be sent at all; null when they can. */
  refusal: string | null
  state: UploadState
  /** What the reader asked for by pressing a button; the queue takes it up in turn. */
  purpose: Purpose | null
}

export type UploadAction =
  | { type: 'add'; files: File[] }
  | { type: 'edit'; id: string; changes: Partial<Said> }
  | { type: 'remove'; id: string }
  | { type: 'start'; purpose: Purpose }
  | { type: 'pause'; id: string }
  /** What was paused, or failed, takes its turn again. */
  | { type: 'resume'; id: string }
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
    licence: '',
    tags: '',
    base: '',
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

const MOST_SENDING = 2
/** Those that only wait for their place ask the server again and again: they must not be many. */
const MOST_BUSY = 6

/** The next model to send, in the order in which they were added; null when enough are under way. */
export function nextUpload(items: UploadItem[]): UploadItem | null {
  const busy = items.filter(isBusy)
  // What is looked up is sent and read in one request: it counts until its answer is here.
  const sending = busy.filter(
    (item) => item.state.kind === 'sending' || item.purpose === 'identify',
  )
  if (sending.length >= MOST_SENDING || busy.length >= MOST_BUSY) return null
  return items.find((item) => item.purpose !== null && item.state.kind === 'waiting') ?? null
}

export const listTags = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
]

/** Why this cannot be said of a model, in a sentence; null when it can. */
export function refuseTags(text: string): string | null {
  const tags = listTags(text)
  if (tags.length > 32) return uploadWords.refusals.manyTags
  return tags.some((tag) => tag.length > 50) ? uploadWords.refusals.longTag : null
}

export const isSayable = (item: UploadItem): boolean =>
  item.name.trim() !== '' && refuseTags(item.tags) === null

/** What is sent of the form; what was left empty is not claimed. */
export function wordsOf(said: Said): Words {
  const [licence, base, tags] = [said.licence.trim(), said.base.trim(), listTags(said.tags)]
  return {
    name: said.name.trim(),
    description: said.description.trim(),
    ...(licence && { licence }),
    ...(tags.length > 0 && { tags }),
    ...(base && { base_model: base }),
  }
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
        isReady(item) && (action.purpose === 'identify' || isSayable(item))
          ? { ...item, purpose: action.purpose }
          : item,
      )
    case 'pause':
      return change(items, action.id, (item) =>
        item.state.kind === 'sending'
          ? { ...item, state: { kind: 'paused', bytes: item.state.bytes } }
          : item,
      )
    case 'resume':
      return change(items, action.id, (item) =>
        item.state.kind === 'paused' || item.state.kind === 'failed'
          ? { ...item, state: { kind: 'waiting' } }
          : item,
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

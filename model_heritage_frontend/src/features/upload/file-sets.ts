import { ACCEPTED_ENDINGS, ARCHIVE_ENDING, hasEnding } from '@/lib/checkpoint-files'
import { uploadWords } from '@/strings/upload'

/** Files that are sent together, because they are one model. */
export interface FileSet {
  /** What its row is called: the file's name, or what the names of several parts begin with. */
  title: string
  /** One file, or the parts of one checkpoint. */
  parts: File[]
  /** Texts that belong to them: index, configuration, model card. */
  beside: File[]
}

interface Group extends FileSet {
  /** What an index must begin with to be told from others; null for what has no parts. */
  stem: string | null
  ending: string
}

const PART = /^(.+)-(\d{5})-of-(\d{5})(\.\w+)$/
const INDEX_ENDING = '.index.json'
const TEXTS_OF_A_MODEL = ['adapter_config.json', 'config.json', 'README.md']

export const filesOf = ({ parts, beside }: FileSet): File[] => [...parts, ...beside]

export const sizeOf = (set: FileSet): number =>
  filesOf(set).reduce((sum, file) => sum + file.size, 0)

/** The drop zone notes each file's path: two folders may hold files of the same names. */
function folderOf(file: File): string {
  const path = 'path' in file && typeof file.path === 'string' ? file.path : file.name
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function groupBy<T>(all: T[], key: (one: T, place: number) => string): T[][] {
  const groups = new Map<string, T[]>()
  all.forEach((one, place) => {
    const name = key(one, place)
    groups.set(name, [...(groups.get(name) ?? []), one])
  })
  return [...groups.values()]
}

function groupParts(files: File[]): Group[] {
  const key = ({ name }: File, place: number): string => {
    const [, stem, , count, ending] = PART.exec(name) ?? []
    const isPart = stem !== undefined && hasEnding(name, ACCEPTED_ENDINGS)
    return isPart ? `${stem}/${count}${ending}` : String(place)
  }
  return groupBy(files, key).map((parts) => {
    const name = parts[0]?.name ?? ''
    const [, stem = null, , , ending = ''] = PART.exec(name) ?? []
    return { title: parts.length > 1 ? (stem ?? name) : name, parts, beside: [], stem, ending }
  })
}

/** How much of an index's name says that it is of these parts; 0 for nothing. */
function matchIndex(index: File, { stem, ending }: Group): number {
  if (stem === null || !index.name.startsWith(stem)) return 0
  return index.name.startsWith(stem + ending) ? stem.length + ending.length : stem.length
}

/** Puts each index beside the parts it tells of; returns those that tell of nothing here. */
function placeIndexes(indexes: File[], groups: Group[]): File[] {
  const sets = groups.filter(({ stem }) => stem !== null)
  const strange = indexes.filter((index) => {
    const [best] = [...sets].sort((a, b) => matchIndex(index, b) - matchIndex(index, a))
    if (!best || matchIndex(index, best) === 0) return true
    best.beside.push(index)
    return false
  })
  // Of another name, but there is nothing else that it could tell of.
  const [only] = sets
  if (!only || sets.length > 1 || only.beside.length > 0) return strange
  only.beside.push(...strange)
  return []
}

function groupFolder(files: File[]): FileSet[] {
  // What is empty tells nothing of a model.
  const isIndex = ({ name, size }: File) => size > 0 && name.endsWith(INDEX_ENDING)
  const isText = ({ name, size }: File) => size > 0 && TEXTS_OF_A_MODEL.includes(name)
  const groups = groupParts(files.filter((file) => !isIndex(file) && !isText(file)))
  const models = groups.filter(({ parts }) => hasEnding(parts[0]?.name ?? '', ACCEPTED_ENDINGS))
  const lone = placeIndexes(files.filter(isIndex), models)
  const texts = files.filter(isText)
  const [only] = models
  // An archive holds the texts of its model already.
  if (only && models.length === 1 && !hasEnding(only.title, [ARCHIVE_ENDING]))
    only.beside.push(...texts)
  else lone.push(...texts)
  return [...groups, ...lone.map((file) => ({ title: file.name, parts: [file], beside: [] }))].map(
    ({ title, parts, beside }) => ({ title, parts, beside }),
  )
}

/**
 * Which of the files of one drop are one model: parts by their numbers (`model-00001-of-00003`) with
 * their index, and the texts of a repository where there is exactly one model beside them. Files of
 * different folders are never put together.
 */
export const groupFiles = (files: File[]): FileSet[] =>
  groupBy(files, folderOf).flatMap(groupFolder)

/** Why a file alone is not its whole model; null when nothing says so. */
export function refuseLonePart(filename: string): string | null {
  const count = Number(PART.exec(filename)?.[3] ?? 1)
  return count > 1 ? uploadWords.refusals.onePart(count) : null
}

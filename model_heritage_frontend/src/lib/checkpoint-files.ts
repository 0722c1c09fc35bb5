import { uploadWords } from '@/strings/upload'

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
    return uploadWords.refusals.ending(ACCEPTED_ENDINGS.join(', '))
  }
  if (file.size === 0) return uploadWords.refusals.empty
  if (file.size > MAX_BYTES) return uploadWords.refusals.large
  return null
}

/** As `refuseFile`, for the files of one model. */
export function refuseFiles(files: { name: string; size: number }[]): string | null {
  const [first] = files
  if (first && files.length === 1) return refuseFile(first)
  const empty = files.find((file) => file.size === 0)
  if (empty) return uploadWords.refusals.emptyOne(empty.name)
  if (files.reduce((sum, file) => sum + file.size, 0) > MAX_BYTES)
    return uploadWords.refusals.largeTogether
  return null
}

import { familyWords } from '@/strings/families'

/** The orders of the forest, as the API names them; a leading "-" turns one round. */
export const SORTS = [
  { value: '-size', label: familyWords.sorts.size },
  { value: '-depth', label: familyWords.sorts.depth },
  { value: '-unresolved', label: familyWords.sorts.unresolved },
  { value: 'confidence', label: familyWords.sorts.leastSure },
  { value: '-confidence', label: familyWords.sorts.surest },
  { value: '-distance', label: familyWords.sorts.distance },
  { value: '-updated_at', label: familyWords.sorts.changed },
  { value: 'name', label: familyWords.sorts.name },
] as const

const KEYS = [
  'size',
  'name',
  'depth',
  'unresolved',
  'confidence',
  'distance',
  'updated_at',
  'created_at',
]

/** An order out of an address; the default for what is none. */
export const readSort = (text: string): string =>
  KEYS.includes(text.replace(/^-/, '')) ? text : '-size'

/** What a click on a column's head makes of the order: first the greatest, then the other way. */
export function turnSort(current: string, key: string): string {
  const first = key === 'name' ? key : `-${key}`
  const second = key === 'name' ? `-${key}` : key
  return current === first ? second : first
}

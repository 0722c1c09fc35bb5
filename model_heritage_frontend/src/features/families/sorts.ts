/** The orders of the forest, as the API names them; a leading "-" turns one round. */
export const SORTS = [
  { value: '-size', label: 'Largest first' },
  { value: '-depth', label: 'Most generations first' },
  { value: '-unresolved', label: 'Most unresolved first' },
  { value: 'confidence', label: 'Least sure first' },
  { value: '-confidence', label: 'Surest first' },
  { value: '-distance', label: 'Furthest apart first' },
  { value: '-updated_at', label: 'Last changed first' },
  { value: 'name', label: 'By name of the root' },
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

import { formatCompact, formatDay } from '@/lib/format'
import { RELATION_WORDS } from '@/lib/relations'
import type { Family, Relation } from '@/lib/types'
import { modelsWords } from '@/strings/models'

/** The filters by their names in the address, which are those of the API. */
export const FILTERS = [
  'search',
  'family',
  'relation',
  'status',
  'licence',
  'tag',
  'parameters_min',
  'parameters_max',
  'created_after',
  'created_before',
  'conflict',
] as const
export type FilterName = (typeof FILTERS)[number]

export const SORTS = modelsWords.sorts

export const STATUS_LABELS = modelsWords.statuses

export const CONFLICT_LABELS = modelsWords.conflicts

export type FilterValues = Record<Exclude<FilterName, 'tag'>, string> & {
  tag: string[]
  sort: string
}

/** A day as the address and the browser's own field have it; anything else is no day. */
const readDay = (text: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : ''

/** The days, which are those of whoever looks, as moments that the server understands. */
export function writeMoments<T extends { created_after: string; created_before: string }>(
  values: T,
): T {
  const moment = (day: string, time: string) =>
    day === '' ? '' : new Date(`${day}T${time}`).toISOString()
  return {
    ...values,
    created_after: moment(values.created_after, '00:00:00'),
    created_before: moment(values.created_before, '23:59:59.999'),
  }
}

export function readFilters(params: URLSearchParams): FilterValues {
  const get = (name: string) => params.get(name) ?? ''
  return {
    search: get('search'),
    family: get('family'),
    relation: get('relation'),
    status: get('status'),
    licence: get('licence'),
    tag: params.getAll('tag').filter((tag) => tag !== ''),
    parameters_min: get('parameters_min'),
    parameters_max: get('parameters_max'),
    created_after: readDay(get('created_after')),
    created_before: readDay(get('created_before')),
    conflict: get('conflict'),
    sort: params.get('sort') ?? 'name',
  }
}

export const isFiltered = (values: FilterValues): boolean =>
  FILTERS.some((name) => values[name].length > 0)

export interface Chip {
  name: FilterName
  /** The one of several tags that this chip stands for. */
  tag?: string
  label: string
}

export const describeRelation = (relation: string): string => {
  if (relation === 'root') return modelsWords.chips.root
  if (relation === 'leaf') return modelsWords.chips.leaf
  return relation in RELATION_WORDS ? RELATION_WORDS[relation as Relation].label : relation
}

const describeCount = (text: string): string =>
  /^\d+$/.test(text) ? formatCompact(Number(text)) : text

/** What is filtered by, in words; the search is seen in its own field. */
export function listChips(values: FilterValues, families: Family[]): Chip[] {
  const chips: Chip[] = []
  const add = (name: FilterName, label: (value: string) => string) => {
    const value = values[name]
    if (typeof value === 'string' && value !== '') chips.push({ name, label: label(value) })
  }
  add(
    'family',
    (id) => families.find((family) => family.id === id)?.name ?? modelsWords.chips.family(id),
  )
  add('relation', describeRelation)
  add('status', (status) => STATUS_LABELS[status] ?? status)
  add('licence', (licence) => licence)
  chips.push(...values.tag.map((tag) => ({ name: 'tag' as const, tag, label: `#${tag}` })))
  add('parameters_min', (least) => modelsWords.chips.atLeast(describeCount(least)))
  add('parameters_max', (most) => modelsWords.chips.atMost(describeCount(most)))
  add('created_after', (day) => modelsWords.dates.afterChip(formatDay(day)))
  add('created_before', (day) => modelsWords.dates.beforeChip(formatDay(day)))
  add('conflict', (conflict) => CONFLICT_LABELS[conflict] ?? conflict)
  return chips
}

import { useSearchParams } from 'react-router'

import { useEditParams } from '@/hooks/use-edit-params'

import { FILTERS, readFilters, type FilterName, type FilterValues } from './filters'

export interface FilterControl {
  values: FilterValues
  set: (name: FilterName | 'sort', value: string) => void
  addTag: (tag: string) => void
  removeTag: (tag: string) => void
  /** Takes all filters away; the order stays. */
  clear: () => void
}

/** The filters as they stand in the address. */
export function useFilters(): FilterControl {
  const [params] = useSearchParams()
  const change = useEditParams()
  return {
    values: readFilters(params),
    set: (name, value) =>
      change((after) => {
        if (value === '' || (name === 'sort' && value === 'name')) after.delete(name)
        else after.set(name, value)
      }),
    addTag: (tag) =>
      change((after) => {
        if (!after.has('tag', tag)) after.append('tag', tag)
      }),
    removeTag: (tag) => change((after) => after.delete('tag', tag)),
    clear: () => change((after) => FILTERS.forEach((name) => after.delete(name))),
  }
}

import { useQuery } from '@tanstack/react-query'

import { facetsQuery } from '@/hooks/queries'

import type { FilterValues } from './filters'

/**
 * How many models each choice would leave. A choice replaces the one made before in the same list,
 * so the numbers of a list are asked for without its own filter; tags are added to each other.
 */
export function useFacets(filters: Omit<FilterValues, 'sort'>) {
  const relation = useQuery(facetsQuery({ ...filters, relation: '' }))
  const status = useQuery(facetsQuery({ ...filters, status: '' }))
  const licence = useQuery(facetsQuery({ ...filters, licence: '' }))
  const all = useQuery(facetsQuery(filters))
  return {
    relations: relation.data?.relations ?? {},
    statuses: status.data?.statuses ?? {},
    licences: licence.data?.licences ?? {},
    tags: all.data?.tags ?? {},
    failed: [relation, status, licence, all].some((query) => query.isError),
  }
}

export type FacetCounts = ReturnType<typeof useFacets>

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'

import { api } from '@/lib/api'

/** The statements in force about a model, or about any member of a family. */
export const constraintsQuery = (of: 'models' | 'families', id: string) =>
  queryOptions({
    queryKey: ['constraints', of, id],
    queryFn: ({ signal }) => api.listConstraints(of, id, signal),
  })

/** What happened to a family, newest first. */
export const revisionsQuery = (family: string) =>
  infiniteQueryOptions({
    queryKey: ['families', 'revisions', family],
    queryFn: ({ pageParam, signal }) => api.listRevisions(family, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_cursor,
  })

/** What one revision changed. */
export const revisionQuery = (family: string, number: number) =>
  queryOptions({
    queryKey: ['families', 'revision', family, number],
    queryFn: ({ signal }) => api.compareRevisions(family, number - 1, number, signal),
    staleTime: Infinity,
  })

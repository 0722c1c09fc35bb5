import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  type QueryClient,
} from '@tanstack/react-query'

import { api, type FamilyFilters, type JobFilters, type ModelFilters } from '@/lib/api'
import type { AuditFilters } from '@/lib/access'
import type { Job } from '@/lib/types'

const BUSY_POLL = 1500
const IDLE_POLL = 10_000

export const isActive = (job: Job): boolean => job.state === 'queued' || job.state === 'running'

/** The catalogue, page after page. While a model is being read the list asks again by itself. */
export const modelsQuery = (filters: Omit<ModelFilters, 'cursor'>) =>
  infiniteQueryOptions({
    queryKey: ['models', 'list', filters],
    queryFn: ({ pageParam, signal }) => api.listModels({ ...filters, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.models.some((model) => model.status === 'processing'))
        ? BUSY_POLL
        : false,
  })

/** How many models there are of each kind, under these filters. */
export const facetsQuery = (filters: ModelFilters) =>
  queryOptions({
    queryKey: ['models', 'facets', filters],
    queryFn: ({ signal }) => api.countFacets(filters, signal),
    placeholderData: keepPreviousData,
  })

export const impactQuery = (id: string) =>
  queryOptions({
    queryKey: ['models', 'impact', id],
    queryFn: ({ signal }) => api.getImpact(id, signal),
  })

export const licenceQuery = (id: string) =>
  queryOptions({
    queryKey: ['models', 'licence', id],
    queryFn: ({ signal }) => api.getLicence(id, signal),
  })

export const modelQuery = (id: string) =>
  queryOptions({
    queryKey: ['models', 'detail', id],
    queryFn: ({ signal }) => api.getModel(id, signal),
    refetchInterval: ({ state }) => (state.data?.status === 'processing' ? BUSY_POLL : false),
  })

export const comparisonQuery = (a: string, b: string) =>
  queryOptions({
    queryKey: ['models', 'compare', a, b],
    queryFn: ({ signal }) => api.compareModels(a, b, signal),
  })

/** Families, the largest first, page after page. */
export const familiesQuery = (filters: Omit<FamilyFilters, 'cursor'> = {}) =>
  infiniteQueryOptions({
    queryKey: ['families', 'list', filters],
    queryFn: ({ pageParam, signal }) => api.listFamilies({ ...filters, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })

export const familyQuery = (id: string) =>
  queryOptions({
    queryKey: ['families', 'detail', id],
    queryFn: ({ signal }) => api.getFamily(id, signal),
  })

export const treeQuery = (id: string) =>
  queryOptions({
    queryKey: ['families', 'tree', id],
    queryFn: ({ signal }) => api.getFamilyTree(id, signal),
  })

export const statsQuery = () =>
  queryOptions({ queryKey: ['stats'], queryFn: ({ signal }) => api.getStats(signal) })

/** Who this browser is; asked once, and again when some answer says that nobody is signed in. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => api.getSession(signal),
    staleTime: Infinity,
  })

/** How one signs in; asked by whoever is signed out. */
export const accessQuery = () =>
  queryOptions({ queryKey: ['access'], queryFn: ({ signal }) => api.getAccess(signal) })

export const usersQuery = () =>
  queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => api.listUsers(signal) })

export const signedInQuery = () =>
  queryOptions({ queryKey: ['sessions'], queryFn: ({ signal }) => api.listSessions(signal) })

export const ownersQuery = () =>
  queryOptions({ queryKey: ['owners'], queryFn: ({ signal }) => api.listOwners(signal) })

/** Who changed what, the newest first, page after page. */
export const auditQuery = (filters: Omit<AuditFilters, 'before'>) =>
  infiniteQueryOptions({
    queryKey: ['audit', filters],
    queryFn: ({ pageParam, signal }) => api.listAudit({ ...filters, before: pageParam }, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    placeholderData: keepPreviousData,
  })

export const deletionQuery = (of: 'families' | 'owners', id: string) =>
  queryOptions({
    queryKey: ['deletion', of, id],
    queryFn: ({ signal }) => api.weighDeletion(of, id, signal),
    // What is told before something is deleted must be so now.
    gcTime: 0,
  })

/** All tokens, for admins; or one's own. */
export const tokensQuery = (own = false) =>
  queryOptions({
    queryKey: ['tokens', own ? 'own' : 'all'],
    queryFn: ({ signal }) => (own ? api.listOwnTokens(signal) : api.listTokens(signal)),
  })

export const healthQuery = () =>
  queryOptions({ queryKey: ['health'], queryFn: ({ signal }) => api.getHealth(signal) })

export const upkeepQuery = () =>
  queryOptions({ queryKey: ['upkeep'], queryFn: ({ signal }) => api.getUpkeep(signal) })

export const serverSettingsQuery = () =>
  queryOptions({
    queryKey: ['settings'],
    queryFn: ({ signal }) => api.listSettings(signal),
    staleTime: Infinity,
  })

/** Whether the server can do its work. The error of one that cannot says why, and is no passing one. */
export const readyQuery = () =>
  queryOptions({
    queryKey: ['ready'],
    queryFn: ({ signal }) => api.getReady(signal),
    retry: false,
  })

export const distributionsQuery = () =>
  queryOptions({
    queryKey: ['stats', 'distributions'],
    queryFn: ({ signal }) => api.getDistributions(signal),
  })

/**
 * Jobs, newest first, page after page. Asked again without end, faster while something runs: the
 * browser sends the ETag along, so that the answer is short while nothing has changed.
 */
export const jobsQuery = (filters: Omit<JobFilters, 'cursor'>) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', filters],
    queryFn: ({ pageParam, signal }) => api.listJobs({ ...filters, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.jobs.some(isActive)) ? BUSY_POLL : IDLE_POLL,
  })

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'detail', id],
    queryFn: ({ signal }) => api.getJob(id, signal),
    refetchInterval: ({ state }) => (state.data && !isActive(state.data) ? false : 800),
  })

/**
 * After any change of the lake everything may differ: one new model can join two families, move
 * parents and change every count.
 */
export const refreshLake = (client: QueryClient): Promise<void> => client.invalidateQueries()

import type {
  AccessState,
  AuditFilters,
  AuditPage,
  Credentials,
  Deletion,
  NewToken,
  OwnerList,
  Role,
  Session,
  SignedInList,
  TokenList,
  TokenRequest,
  User,
  UserChange,
  UserList,
} from '@/lib/access'
import type { Impact, LicenceReport } from '@/lib/consequences'
import { parseProblem, unreachable } from '@/lib/problem'
import type {
  Constraint,
  Corrected,
  NewConstraint,
  RevisionDiff,
  RevisionPage,
  Statement,
} from '@/lib/statements'
import type {
  Comparison,
  Facets,
  Family,
  FamilyPage,
  FamilyTree,
  Health,
  Job,
  JobPage,
  LakeDistributions,
  Model,
  ModelChanges,
  ModelDetail,
  ModelPage,
  ModelStatus,
  Ready,
  ResumableUpload,
  ServerSettingList,
  Stats,
  Upkeep,
  Words,
} from '@/lib/types'

export const API_ROOT = '/api'

type QueryValue = string | number | string[] | null | undefined

/** Builds a path below /api from segments and a query; every part is encoded, empty ones are left out. */
export function apiUrl(segments: string[], query: Record<string, QueryValue> = {}): string {
  const path = segments.map(encodeURIComponent).join('/')
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const each of value) search.append(key, each)
    else if (value !== null && value !== undefined && value !== '') search.set(key, String(value))
  }
  const suffix = search.toString()
  return `${API_ROOT}/${path}${suffix ? `?${suffix}` : ''}`
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('Accept', 'application/json')
  let response: Response
  try {
    response = await fetch(url, { ...init, headers })
  } catch (error) {
    if (init.signal?.aborted) throw error
    if (error instanceof TypeError) throw unreachable()
    throw error
  }
  if (!response.ok) throw parseProblem(response.status, await response.text())
  return response
}

async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await request(url, { signal: signal ?? null })
  return (await response.json()) as T
}

async function getText(url: string): Promise<string> {
  return (await request(url)).text()
}

interface SendOptions {
  headers?: Record<string, string>
  signal?: AbortSignal
}

async function send(
  method: string,
  url: string,
  body?: unknown,
  { headers, signal }: SendOptions = {},
): Promise<Response> {
  const init: RequestInit = { method, headers: { ...headers }, signal: signal ?? null }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { ...headers, 'Content-Type': 'application/json' }
  }
  return request(url, init)
}

async function sendJson<T>(
  method: string,
  url: string,
  body?: unknown,
  options: SendOptions = {},
): Promise<T> {
  return (await (await send(method, url, body, options)).json()) as T
}

async function remove(url: string): Promise<void> {
  await request(url, { method: 'DELETE' })
}

export interface ModelFilters {
  search?: string
  family?: string
  status?: string
  relation?: string
  licence?: string
  tag?: string[]
  parameters_min?: string
  parameters_max?: string
  created_after?: string
  created_before?: string
  conflict?: string
  sort?: string
  limit?: number
  cursor?: string | null
}

export interface FamilyFilters {
  search?: string
  sort?: string
  limit?: number
  cursor?: string | null
}

export interface JobFilters {
  state?: string
  kind?: string
  limit?: number
  cursor?: string | null
}

export const api = {
  listModels: (filters: ModelFilters, signal?: AbortSignal) =>
    getJson<ModelPage>(apiUrl(['models'], { ...filters }), signal),
  countFacets: (filters: ModelFilters, signal?: AbortSignal) =>
    getJson<Facets>(apiUrl(['models', 'facets'], { ...filters }), signal),
  getModel: (id: string, signal?: AbortSignal) =>
    getJson<ModelDetail>(apiUrl(['models', id]), signal),
  updateModel: (id: string, changes: ModelChanges) =>
    sendJson<Model>('PATCH', apiUrl(['models', id]), changes),
  deleteModel: (id: string) => remove(apiUrl(['models', id])),
  reprocessModel: (id: string) =>
    sendJson<{ status: ModelStatus }>('POST', apiUrl(['models', id, 'reprocess'])),
  compareModels: (id: string, other: string, signal?: AbortSignal) =>
    getJson<Comparison>(apiUrl(['models', id, 'compare', other]), signal),
  getModelCard: (id: string) =>
    getText(apiUrl(['lineage', 'export'], { format: 'model-card', model: id })),
  getImpact: (id: string, signal?: AbortSignal) =>
    getJson<Impact>(apiUrl(['models', id, 'impact']), signal),
  getLicence: (id: string, signal?: AbortSignal) =>
    getJson<LicenceReport>(apiUrl(['models', id, 'licence']), signal),
  listConstraints: (of: 'models' | 'families', id: string, signal?: AbortSignal) =>
    getJson<{ constraints: Constraint[] }>(apiUrl([of, id, 'constraints']), signal),
  addConstraint: (id: string, constraint: NewConstraint) =>
    sendJson<Corrected>('PUT', apiUrl(['models', id, 'constraints']), constraint),
  takeBack: (constraint: string, author: string) =>
    sendJson<Corrected>('DELETE', apiUrl(['constraints', constraint], { author })),
  splitFamily: (id: string, split: Statement & { models: string[] }) =>
    sendJson<Corrected>('POST', apiUrl(['families', id, 'split']), split),
  nameFamily: (id: string, change: { name: string | null; author?: string; reason?: string }) =>
    sendJson<Family>('PATCH', apiUrl(['families', id]), change),
  listRevisions: (id: string, cursor: number | null, signal?: AbortSignal) =>
    getJson<RevisionPage>(apiUrl(['families', id, 'revisions'], { limit: 20, cursor }), signal),
  compareRevisions: (id: string, from: number, to: number, signal?: AbortSignal) =>
    getJson<RevisionDiff>(
      apiUrl(['families', id, 'revisions', String(from), 'diff', String(to)]),
      signal,
    ),
  listFamilies: (filters: FamilyFilters, signal?: AbortSignal) =>
    getJson<FamilyPage>(apiUrl(['families'], { ...filters }), signal),
  getFamily: (id: string, signal?: AbortSignal) =>
    getJson<Family>(apiUrl(['families', id]), signal),
  getFamilyTree: (id: string, signal?: AbortSignal) =>
    getJson<FamilyTree>(apiUrl(['families', id, 'tree']), signal),
  rebuildFamily: (id: string) =>
    sendJson<{ job_id: string; models_updated?: number }>(
      'POST',
      apiUrl(['families', id, 'tree', 'rebuild']),
    ),
  getSession: (signal?: AbortSignal) => getJson<Session>(apiUrl(['session']), signal),
  signIn: (token: string) => sendJson<Session>('POST', apiUrl(['session']), { token }),
  getAccess: (signal?: AbortSignal) => getJson<AccessState>(apiUrl(['access']), signal),
  setUp: (wanted: Credentials & { code: string }) =>
    sendJson<Session>('POST', apiUrl(['access', 'setup']), wanted),
  signInByPassword: (credentials: Credentials) =>
    sendJson<Session>('POST', apiUrl(['session', 'password']), credentials),
  changePassword: async (change: { old: string; new: string }) => {
    await send('PUT', apiUrl(['session', 'password']), change)
  },
  listSessions: (signal?: AbortSignal) => getJson<SignedInList>(apiUrl(['sessions']), signal),
  endSession: (id: string) => remove(apiUrl(['sessions', id])),
  listUsers: (signal?: AbortSignal) => getJson<UserList>(apiUrl(['users']), signal),
  createUser: (wanted: Credentials & { role: Role }) =>
    sendJson<User>('POST', apiUrl(['users']), wanted),
  changeUser: (id: string, change: UserChange) =>
    sendJson<User>('PATCH', apiUrl(['users', id]), change),
  removeUser: (id: string) => remove(apiUrl(['users', id])),
  listOwners: (signal?: AbortSignal) => getJson<OwnerList>(apiUrl(['owners']), signal),
  weighDeletion: (of: 'families' | 'owners', id: string, signal?: AbortSignal) =>
    getJson<Deletion>(apiUrl([of, id, 'deletion']), signal),
  deleteFamily: (id: string) => sendJson<{ job_id: string }>('DELETE', apiUrl(['families', id])),
  deleteModelsOf: (owner: string) =>
    sendJson<{ job_id: string }>('DELETE', apiUrl(['owners', owner, 'models'])),
  signOut: () => remove(apiUrl(['session'])),
  listTokens: (signal?: AbortSignal) => getJson<TokenList>(apiUrl(['tokens']), signal),
  createToken: (wanted: TokenRequest) => sendJson<NewToken>('POST', apiUrl(['tokens']), wanted),
  revokeToken: (id: string) => remove(apiUrl(['tokens', id])),
  listOwnTokens: (signal?: AbortSignal) =>
    getJson<TokenList>(apiUrl(['session', 'tokens']), signal),
  createOwnToken: (wanted: TokenRequest) =>
    sendJson<NewToken>('POST', apiUrl(['session', 'tokens']), wanted),
  revokeOwnToken: (id: string) => remove(apiUrl(['session', 'tokens', id])),
  listAudit: (filters: AuditFilters, signal?: AbortSignal) =>
    getJson<AuditPage>(apiUrl(['audit'], { ...filters, limit: 50 }), signal),
  getHealth: (signal?: AbortSignal) => getJson<Health>(apiUrl(['health']), signal),
  getUpkeep: (signal?: AbortSignal) =>
    getJson<Upkeep>(apiUrl(['maintenance', 'upkeep']), signal),
  listSettings: (signal?: AbortSignal) => getJson<ServerSettingList>(apiUrl(['settings']), signal),
  getReady: (signal?: AbortSignal) => getJson<Ready>(apiUrl(['ready']), signal),
  getStats: (signal?: AbortSignal) => getJson<Stats>(apiUrl(['stats']), signal),
  getDistributions: (signal?: AbortSignal) =>
    getJson<LakeDistributions>(apiUrl(['stats', 'distributions']), signal),
  recluster: () => sendJson<{ job_id: string }>('POST', apiUrl(['clustering', 'recluster'])),
  listJobs: (filters: JobFilters, signal?: AbortSignal) =>
    getJson<JobPage>(apiUrl(['jobs'], { ...filters }), signal),
  getJob: (id: string, signal?: AbortSignal) => getJson<Job>(apiUrl(['jobs', id]), signal),
  cancelJob: (id: string) => remove(apiUrl(['jobs', id])),
  retryJob: (id: string) => sendJson<Job>('POST', apiUrl(['jobs', id, 'retry'])),
  cleanUp: () => sendJson<{ job_id: string }>('POST', apiUrl(['maintenance', 'cleanup'])),
  importFolder: (folder: string) =>
    sendJson<{ job_id: string }>('POST', apiUrl(['imports']), { folder }),
  getUpload: (id: string, signal?: AbortSignal) =>
    getJson<ResumableUpload>(apiUrl(['uploads', id]), signal),
  /** Makes one model of uploads that are whole; its place is found by the job that is named. */
  completeUploads: (uploads: string[], words: Words, signal?: AbortSignal) =>
    sendJson<{ model_id: string; job_id: string | null }>(
      'POST',
      apiUrl(['uploads', 'complete']),
      { uploads, ...words },
      { headers: { Prefer: 'respond-async' }, ...(signal && { signal }) },
    ),
}

export const downloadUrl = (id: string): string => apiUrl(['models', id, 'download'])

export const impactTableUrl = (id: string): string =>
  apiUrl(['models', id, 'impact'], { format: 'csv' })

export const EXPORT_FORMATS = [
  'json',
  'csv',
  'graphml',
  'gexf',
  'dot',
  'newick',
  'cyclonedx',
  'cypher',
] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export const exportUrl = (format: ExportFormat, family?: string): string =>
  apiUrl(['lineage', 'export'], { format, family })

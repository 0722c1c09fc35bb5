/** Who may do what, as the server says it. */

export const ROLES = ['viewer', 'editor', 'admin'] as const
export type Role = (typeof ROLES)[number]
export type Access = 'open' | 'token' | 'login'

/** Who this browser is to the server. */
export interface Session {
  /** Whether the server asks for tokens at all. */
  access: Access
  role: Role
  name: string
  user_id: string | null
  token_id: string | null
  session_id: string | null
  token_expires_at: string | null
}

export interface Token {
  id: string
  name: string
  role: Role
  /** Whose it is; null for one of the server. */
  user_id: string | null
  state: 'valid' | 'expired' | 'revoked'
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
}

export interface TokenList {
  tokens: Token[]
}

/** What is asked for; the days are null for a token without end. */
export interface TokenRequest {
  name: string
  role: Role
  expires_in_days: number | null
}

/** A token as it is told once: `token` is never shown again. */
export interface NewToken extends Token {
  token: string
}

/** How one signs in, told to everybody. */
export interface AccessState {
  access: Access
  /** Whether the first admin is still to be made. */
  awaits_setup: boolean
}

export interface Credentials {
  name: string
  password: string
}

export interface User {
  id: string
  name: string
  role: Role
  disabled: boolean
  /** Else a proxy says who it is. */
  has_password: boolean
  created_at: string
  last_seen_at: string | null
}

export interface UserList {
  users: User[]
}

export interface UserChange {
  role?: Role
  disabled?: boolean
  password?: string
}

/** A browser in which somebody is signed in. */
export interface SignedIn {
  id: string
  user_id: string | null
  token_id: string | null
  name: string
  address: string
  agent: string
  /** Whether it is this one. */
  present: boolean
  created_at: string
  last_used_at: string
  expires_at: string
}

export interface SignedInList {
  sessions: SignedIn[]
}

/** Who keeps how much; without an id, what came without saying from whom. */
export interface OwnerUsage {
  id: string | null
  name: string | null
  models: number
  bytes: number
}

export interface Limits {
  models: number | null
  bytes: number | null
}

export interface OwnerList {
  owners: OwnerUsage[]
  limits: Limits
  limits_per_owner: Limits
}

/** What deleting would do. */
export interface Deletion {
  models: number
  bytes: number
  /** The first of those that lose a parent and stay. */
  children: { id: string; name: string }[]
  children_total: number
  families: number
  families_ended: number
  statements: number
}

/** What changes something, of HTTP. */
export const CHANGES = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Change = (typeof CHANGES)[number]

/** One line of the record of changes. */
export interface AuditEntry {
  id: number
  /** Of the user or token. */
  actor: string
  name: string
  method: Change
  path: string
  status: number
  request_id: string
  created_at: string
}

export interface AuditPage {
  entries: AuditEntry[]
  next_before: number | null
}

export interface AuditFilters {
  /** Part of a name, or an id. */
  who?: string
  method?: string
  before?: number | null
}

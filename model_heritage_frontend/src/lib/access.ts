/** Who may do what, as the server says it. */

export const ROLES = ['viewer', 'editor', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who this browser is to the server. */
export interface Session {
  /** Whether the server asks for tokens at all. */
  access: 'open' | 'token'
  role: Role
  name: string
  token_id: string | null
  token_expires_at: string | null
}

export interface Token {
  id: string
  name: string
  role: Role
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

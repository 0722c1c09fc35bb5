import { useQuery } from '@tanstack/react-query'

import { sessionQuery } from '@/hooks/queries'
import { ROLES, type Role } from '@/lib/access'

/**
 * Whether this browser may do what needs a role. Until the server has said who it is, yes: most
 * servers ask nobody, and nobody shall wait for that. The server decides in any case.
 */
export function useMay(): (needed: Role) => boolean {
  const { data } = useQuery(sessionQuery())
  return (needed) => !data || ROLES.indexOf(data.role) >= ROLES.indexOf(needed)
}

/** Whether this browser may do what only the owner of something and admins may. */
export function useMayAsOwner(): (ownerId: string | null | undefined) => boolean {
  const { data } = useQuery(sessionQuery())
  return (ownerId) => {
    if (!data || data.role === 'admin') return true
    const own = data.user_id ?? data.token_id
    return data.role === 'editor' && own !== null && ownerId === own
  }
}

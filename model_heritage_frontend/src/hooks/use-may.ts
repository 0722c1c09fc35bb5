import { useQuery } from '@tanstack/react-query'

import { sessionQuery } from '@/hooks/queries'
import { ROLES, type Role } from '@/lib/access'
import { isSignedOut } from '@/lib/problem'

/**
 * Whether this browser may do what needs a role. Until the server has said who it is, yes: most
 * servers ask nobody, and nobody shall wait for that. The server decides in any case. Who is signed
 * out may nothing.
 */
export function useMay(): (needed: Role) => boolean {
  const { data, error } = useQuery(sessionQuery())
  if (isSignedOut(error)) return () => false
  const rank = data ? ROLES.indexOf(data.role) : -1
  return (needed) => rank < 0 || rank >= ROLES.indexOf(needed)
}

/** Whether this browser may do what only the owner of something and admins may. */
export function useMayAsOwner(): (ownerId: string | null | undefined) => boolean {
  const { data } = useQuery(sessionQuery())
  const may = useMay()
  const own = data?.user_id ?? data?.token_id ?? null
  return (ownerId) => may('admin') || (may('editor') && own !== null && ownerId === own)
}

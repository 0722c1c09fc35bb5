import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import type { UserChange } from '@/lib/access'
import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

const TOKENS = { queryKey: ['tokens'] }

/** Nothing that was read as somebody else, or as nobody, stays. */
export function useSignIn() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (token: string) => api.signIn(token),
    onSuccess: () => client.resetQueries(),
  })
}

export function useSignInByPassword() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.signInByPassword,
    // A password is not to stay in memory longer than it is needed.
    gcTime: 0,
    onSuccess: () => client.resetQueries(),
  })
}

/** Makes the first admin, who is then signed in. */
export function useSetUp() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.setUp,
    gcTime: 0,
    onSuccess: () => client.resetQueries(),
  })
}

export function useChangePassword() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.changePassword,
    gcTime: 0,
    onSuccess: () => {
      toast.success(accessWords.password.changed)
      return client.resetQueries()
    },
  })
}

/** What admins do with users, sessions and models of others: told, and the lists read again. */
function useDeed<T>(deed: (what: T) => Promise<unknown>, told: string | null, lists: string[]) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: deed,
    gcTime: 0,
    onSuccess: () => {
      if (told !== null) toast.success(told)
    },
    onError: (error) => toast.error(describeError(error)),
    onSettled: () =>
      Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: [list] }))),
  })
}

export const useEndSession = () =>
  useDeed((id: string) => api.endSession(id), accessWords.sessions.ended, ['sessions'])

export const useChangeUser = (id: string) =>
  useDeed((change: UserChange) => api.changeUser(id, change), null, ['users', 'sessions'])

export const useRemoveUser = () =>
  useDeed((id: string) => api.removeUser(id), accessWords.users.removed, ['users', 'sessions'])

export const useDeleteModelsOf = () =>
  useDeed((id: string) => api.deleteModelsOf(id), accessWords.owners.deleting, ['owners', 'jobs'])

/** The form shows what is wrong by itself. */
export function useCreateUser(onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.createUser,
    gcTime: 0,
    onSuccess: () => {
      toast.success(accessWords.users.made)
      onDone()
      return client.invalidateQueries({ queryKey: ['users'] })
    },
  })
}

export function useSignOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.signOut(),
    onSuccess: () => client.resetQueries(),
    onError: (error) => toast.error(describeError(error)),
  })
}

export function useCreateToken(own: boolean) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: own ? api.createOwnToken : api.createToken,
    // The answer holds the token itself: it is not to stay in memory longer than it is shown.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries(TOKENS),
  })
}

export function useRevokeToken(own: boolean) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => (own ? api.revokeOwnToken(id) : api.revokeToken(id)),
    onSuccess: () => toast.success(accessWords.tokens.revoked),
    onError: (error) => toast.error(describeError(error)),
    onSettled: () => client.invalidateQueries(TOKENS),
  })
}

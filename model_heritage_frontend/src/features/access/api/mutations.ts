import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

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

export function useSignOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.signOut(),
    onSuccess: () => client.resetQueries(),
    onError: (error) => toast.error(describeError(error)),
  })
}

export function useCreateToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.createToken,
    // The answer holds the token itself: it is not to stay in memory longer than it is shown.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries(TOKENS),
  })
}

export function useRevokeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => api.revokeToken(id),
    onSuccess: () => toast.success(accessWords.tokens.revoked),
    onError: (error) => toast.error(describeError(error)),
    onSettled: () => client.invalidateQueries(TOKENS),
  })
}

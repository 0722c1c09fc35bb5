import { useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { familyQuery, refreshLake, treeQuery } from '@/hooks/queries'
import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import type { Corrected, NewConstraint, Statement } from '@/lib/statements'

export type OnSolved = (result: Corrected) => void

/** Shows the tree of the answer at once; what else may have moved is asked for again. */
async function takeOver(client: QueryClient, result: Corrected): Promise<void> {
  client.setQueryData(treeQuery(result.tree.family_id).queryKey, result.tree)
  for (const family of result.families) {
    client.setQueryData(familyQuery(family.id).queryKey, family)
  }
  await refreshLake(client)
}

function useChange<T>(change: (value: T) => Promise<Corrected>, done: string, onSolved: OnSolved) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: async (result) => {
      onSolved(result)
      toast.success(done)
      await takeOver(client, result)
    },
  })
}

export const useCorrect = (model: string, onSolved: OnSolved) =>
  useChange(
    (constraint: NewConstraint) => api.addConstraint(model, constraint),
    'Noted. The tree has been solved around it.',
    onSolved,
  )

export const useSplit = (family: string, onSolved: OnSolved) =>
  useChange(
    (split: Statement & { models: string[] }) => api.splitFamily(family, split),
    'Noted. The family has been split.',
    onSolved,
  )

export function useTakeBack(onSolved: OnSolved) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, author }: { id: string; author: string }) => api.takeBack(id, author),
    onSuccess: async (result) => {
      onSolved(result)
      toast.success('Taken back. The tree has been solved without it.')
      await takeOver(client, result)
    },
    onError: (error) => toast.error(describeError(error)),
  })
}

export function useNameFamily(id: string, onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: { name: string | null; author?: string }) => api.nameFamily(id, change),
    onSuccess: async (family) => {
      client.setQueryData(familyQuery(id).queryKey, family)
      onDone()
      toast.success(`It is called “${family.name}” now.`)
      await refreshLake(client)
    },
  })
}

import { useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { familyQuery, refreshLake, treeQuery } from '@/hooks/queries'
import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import type { Corrected, NewConstraint, Statement } from '@/lib/statements'
import type { FamilyTree } from '@/lib/types'
import { correctionWords } from '@/strings/corrections'

import { describeMoves } from '../moves'

export type OnSolved = (result: Corrected) => void

/** Shows the tree of the answer at once; what else may have moved is asked for again. */
async function takeOver(client: QueryClient, result: Corrected): Promise<void> {
  client.setQueryData(treeQuery(result.tree.family_id).queryKey, result.tree)
  for (const family of result.families) {
    client.setQueryData(familyQuery(family.id).queryKey, family)
  }
  await refreshLake(client)
}

/** The tree as this page last saw it, to tell what a statement moved. */
const findBefore = (client: QueryClient, result: Corrected): FamilyTree | undefined =>
  client.getQueryData(treeQuery(result.tree.family_id).queryKey)

/** What somebody states is told with what it moved, and can be undone from there. */
function useChange<T extends { author: string }>(
  change: (value: T) => Promise<Corrected>,
  done: string,
  onSolved: OnSolved,
) {
  const client = useQueryClient()
  const undo = useTakeBack(onSolved)
  return useMutation({
    mutationFn: change,
    onSuccess: async (result, { author }) => {
      const moves = describeMoves(findBefore(client, result), result.tree)
      onSolved(result)
      toast.success(done, {
        description: moves,
        duration: 12_000,
        action: {
          label: correctionWords.undo,
          onClick: () => undo.mutate({ id: result.constraint.id, author }),
        },
      })
      await takeOver(client, result)
    },
  })
}

export const useCorrect = (model: string, onSolved: OnSolved) =>
  useChange(
    (constraint: NewConstraint) => api.addConstraint(model, constraint),
    correctionWords.noted,
    onSolved,
  )

export const useSplit = (family: string, onSolved: OnSolved) =>
  useChange(
    (split: Statement & { models: string[] }) => api.splitFamily(family, split),
    correctionWords.split,
    onSolved,
  )

export function useTakeBack(onSolved: OnSolved) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, author }: { id: string; author: string }) => api.takeBack(id, author),
    onSuccess: async (result) => {
      onSolved(result)
      toast.success(correctionWords.takenBack)
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
      toast.success(correctionWords.named(family.name))
      await refreshLake(client)
    },
  })
}

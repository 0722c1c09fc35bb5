import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { refreshLake } from '@/hooks/queries'
import { api } from '@/lib/api'

import { describeError } from '@/lib/problem'
import { familyWords } from '@/strings/families'

export function useRebuildFamily(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.rebuildFamily(id),
    onSuccess: async ({ models_updated: count }) => {
      toast.success(
        count === undefined
          ? familyWords.actions.started
          : count === 0
            ? familyWords.actions.unchanged
            : familyWords.actions.updated(count),
      )
      await refreshLake(client)
    },
    onError: (error) => toast.error(describeError(error)),
  })
}

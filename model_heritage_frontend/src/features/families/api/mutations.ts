import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { refreshLake } from '@/hooks/queries'
import { api } from '@/lib/api'
import { plural } from '@/lib/format'
import { describeError } from '@/lib/problem'

export function useRebuildFamily(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.rebuildFamily(id),
    onSuccess: async ({ models_updated: count }) => {
      toast.success(
        count === undefined
          ? 'The family is being solved again.'
          : count === 0
            ? 'Solved again: nothing has changed.'
            : `Solved again: ${plural(count, 'model')} updated.`,
      )
      await refreshLake(client)
    },
    onError: (error) => toast.error(describeError(error)),
  })
}

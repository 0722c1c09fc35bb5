import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { refreshLake } from '@/hooks/queries'
import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import type { ModelChanges } from '@/lib/types'
import { modelsWords } from '@/strings/models'

const showError = (error: unknown) => toast.error(describeError(error))

export function useUpdateModel(id: string, onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (changes: ModelChanges) => api.updateModel(id, changes),
    onSuccess: async () => {
      onDone()
      toast.success(modelsWords.saved)
      await refreshLake(client)
    },
  })
}

export function useDeleteModel(id: string, onDone: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.deleteModel(id),
    onSuccess: async () => {
      onDone()
      toast.success(modelsWords.delete.doneOne)
      client.removeQueries({ queryKey: ['models', 'detail', id] })
      await refreshLake(client)
    },
    onError: showError,
  })
}

export function useReprocessModel(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => api.reprocessModel(id),
    onSuccess: async ({ status }) => {
      toast.success(status === 'processing' ? modelsWords.rereading : modelsWords.reread)
      await refreshLake(client)
    },
    onError: showError,
  })
}

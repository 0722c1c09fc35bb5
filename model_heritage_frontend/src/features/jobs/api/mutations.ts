import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'

export function useCancelJob() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => api.cancelJob(id),
    onSuccess: () => toast.success('Job cancelled'),
    onError: (error) => toast.error(describeError(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  })
}

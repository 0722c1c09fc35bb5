import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import { jobWords } from '@/strings/jobs'

/** Does something with jobs and looks at them again; what the server refuses is said in a toast. */
function useJobMutation<T>(ask: (about: T) => Promise<unknown>, done: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ask,
    onSuccess: () => toast.success(done),
    onError: (error) => toast.error(describeError(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  })
}

export const useCancelJob = () =>
  useJobMutation((id: string) => api.cancelJob(id), jobWords.told.stopping)

export const useRetryJob = () =>
  useJobMutation((id: string) => api.retryJob(id), jobWords.told.waiting)

export const useReclusterLake = () =>
  useJobMutation<undefined>(() => api.recluster(), jobWords.told.recluster)

export const useCleanUp = () =>
  useJobMutation<undefined>(() => api.cleanUp(), jobWords.told.cleanUp)

/** Its refusal belongs into the dialog, beside the folder. */
export function useImportFolder({ onStarted }: { onStarted: () => void }) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (folder: string) => api.importFolder(folder),
    onSuccess: () => {
      toast.success(jobWords.told.import)
      onStarted()
      return client.invalidateQueries({ queryKey: ['jobs'] })
    },
  })
}

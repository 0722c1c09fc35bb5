import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { toast } from 'sonner'

import { isActive, jobQuery } from '@/hooks/queries'
import { useQueryParam } from '@/hooks/use-query-param'
import { api } from '@/lib/api'
import { describeError } from '@/lib/problem'
import type { Job } from '@/lib/types'

export interface Recluster {
  start: () => void
  starting: boolean
  /** The job as far as it is known; null when none was started from here. */
  job: Job | null
}

/** Solves the whole lake again and follows the job; its id is in the address, so a reload finds it. */
export function useRecluster(): Recluster {
  const client = useQueryClient()
  const [jobId, setJobId] = useQueryParam('job')
  const job = useQuery({ ...jobQuery(jobId), enabled: jobId !== '' })
  const start = useMutation({
    mutationFn: () => api.recluster(),
    onSuccess: ({ job_id: id }) => setJobId(id),
    onError: (error) => toast.error(describeError(error)),
  })
  const finished = job.data !== undefined && !isActive(job.data)
  useEffect(() => {
    if (!finished) return
    // All but this job: asking for it again would find it finished again, without end.
    void Promise.all(
      ['models', 'families', 'stats'].map((key) => client.invalidateQueries({ queryKey: [key] })),
    )
  }, [finished, client])
  return { start: () => start.mutate(), starting: start.isPending, job: job.data ?? null }
}

import { QueryClient } from '@tanstack/react-query'

import { ApiError } from '@/lib/problem'

/** What the server refused it will refuse again; only a missing or broken answer is worth a retry. */
const worthARetry = (error: unknown): boolean =>
  !(error instanceof ApiError) || error.status === 0 || error.status >= 500

export const makeQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 1 && worthARetry(error),
        retryDelay: 600,
      },
    },
  })

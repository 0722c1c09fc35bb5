import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { sessionQuery } from '@/hooks/queries'
import { ApiError, isSignedOut } from '@/lib/problem'

/** What the server refused it will refuse again; only a missing or broken answer is worth a retry. */
const worthARetry = (error: unknown): boolean =>
  !(error instanceof ApiError) || error.status === 0 || error.status >= 500

export function makeQueryClient(): QueryClient {
  const { queryKey } = sessionQuery()
  /** A session may end at any moment: then the page asks who it is, and is told to sign in. */
  const notice = (error: unknown): void => {
    if (isSignedOut(error) && client.getQueryState(queryKey)?.status === 'success')
      void client.invalidateQueries({ queryKey })
  }
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: notice }),
    mutationCache: new MutationCache({ onError: notice }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 1 && worthARetry(error),
        retryDelay: 600,
      },
    },
  })
  return client
}

import { QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'

import { makeQueryClient } from '@/app/query-client'
import { sessionQuery, statsQuery } from '@/hooks/queries'
import { isSignedOut } from '@/lib/problem'
import { serve } from '@/testing/render'

test('when a session has ended, whichever answer tells it first, the page notices, once', async () => {
  let signedIn = true
  const requests = serve(() =>
    signedIn
      ? { json: { access: 'token', role: 'viewer', name: 'x' } }
      : { status: 401, json: { type: '/problems/not-signed-in', title: 'x', detail: 'x' } },
  )
  const client = makeQueryClient()
  const observer = new QueryObserver(client, sessionQuery())
  const stop = observer.subscribe(() => undefined)
  await client.query(sessionQuery())
  signedIn = false
  await client.query(statsQuery()).catch(() => undefined)
  await expect.poll(() => isSignedOut(observer.getCurrentResult().error)).toBe(true)
  await client.query({ ...statsQuery(), staleTime: 0 }).catch(() => undefined)
  expect(requests.filter((request) => request === 'GET /api/session')).toHaveLength(2)
  stop()
})

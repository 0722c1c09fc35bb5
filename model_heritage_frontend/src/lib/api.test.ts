import { expect, test, vi } from 'vitest'

import { api, apiUrl, exportUrl } from '@/lib/api'
import { ApiError } from '@/lib/problem'
import { serve } from '@/testing/render'

test('ids and queries are encoded, and empty values are left out', () => {
  expect(apiUrl(['models', 'a/b?c'])).toBe('/api/models/a%2Fb%3Fc')
  expect(apiUrl(['models'], { search: 'a & b', family: '', cursor: null, limit: 5 })).toBe(
    '/api/models?search=a+%26+b&limit=5',
  )
  expect(exportUrl('dot', 'f 1')).toBe('/api/lineage/export?format=dot&family=f+1')
})

test('a refusal is thrown as the problem that the server named', async () => {
  serve(() => undefined)
  await expect(api.getModel('m_gone')).rejects.toMatchObject({ status: 404, kind: 'not-found' })
})

test('a server that does not answer is told apart from one that refuses', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  const error: unknown = await api.getStats().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ status: 0, kind: 'unreachable' })
})

test('deleting expects no body', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(null, { status: 204 })))
  await expect(api.deleteModel('m_1')).resolves.toBeUndefined()
})

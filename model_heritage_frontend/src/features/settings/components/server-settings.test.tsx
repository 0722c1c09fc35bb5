import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import type { Role } from '@/lib/access'
import type { ServerSetting } from '@/lib/types'
import { renderPage, serve } from '@/testing/render'

import { ServerSettings } from './server-settings'

const setting = (name: string, change: Partial<ServerSetting>): ServerSetting => ({
  name,
  value: null,
  unit: '',
  origin: 'default',
  place: '',
  help: `About ${name}`,
  ...change,
})

const show = (role: Role) => {
  const requests = serve((request) => {
    if (request === 'GET /api/session') {
      return {
        json: { access: 'token', role, name: 'Ann', token_id: 't_1', token_expires_at: null },
      }
    }
    if (request !== 'GET /api/settings') return undefined
    const place = 'clustering.max_family_size'
    const changed = { value: 50, unit: 'models', origin: 'file', place } as const
    return { json: { settings: [setting('max_family_size', changed), setting('neo4j_url', {})] } }
  })
  renderPage(<ServerSettings />)
  return requests
}

test('what differs from the defaults is shown first, all of it on request', async () => {
  show('admin')
  expect(await screen.findByText('50 models')).toBeInTheDocument()
  expect(screen.getByText(/config\.yaml: clustering\.max_family_size/)).toBeInTheDocument()
  expect(screen.queryByText('neo4j_url')).not.toBeInTheDocument()
  await userEvent.setup().click(screen.getByRole('switch', { name: 'Also the defaults' }))
  expect(screen.getByText('neo4j_url')).toBeInTheDocument()
  expect(screen.getByText('none')).toBeInTheDocument()
})

test('only admins are shown settings, and only they ask for them', async () => {
  const requests = show('editor')
  await expect.poll(() => requests).toContain('GET /api/session')
  expect(screen.queryByText('Settings of the server')).not.toBeInTheDocument()
  expect(requests).not.toContain('GET /api/settings')
})

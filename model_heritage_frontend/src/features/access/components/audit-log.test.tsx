import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import type { AuditEntry, Role } from '@/lib/access'
import { renderPage, serve } from '@/testing/render'

import { AuditLog } from './audit-log'
import { AuditSettings } from './audit-settings'

const entry = (id: number, change: Partial<AuditEntry> = {}): AuditEntry => ({
  id,
  actor: 'u_1',
  name: 'Ann',
  method: 'PATCH',
  path: `/api/models/m_${id}`,
  status: 200,
  request_id: `r-${id}`,
  created_at: '2026-01-02T03:04:05Z',
  ...change,
})

/** Answers as the server does: filtered, the newest first, two on a page. */
const keep = (entries: AuditEntry[], session: { access?: string; role?: Role } = {}) =>
  serve((request) => {
    if (request === 'GET /api/session') {
      return { json: { access: 'login', role: 'admin', name: 'Ann', ...session } }
    }
    if (!request.startsWith('GET /api/audit')) return undefined
    const query = new URLSearchParams(request.split('?')[1])
    const before = Number(query.get('before') ?? Infinity)
    const found = entries
      .filter(({ id }) => id < before)
      .filter(({ name }) => name.includes(query.get('who') ?? ''))
      .filter(({ method }) => [method, null].some((asked) => asked === query.get('method')))
    const page = found.slice(0, 2)
    return { json: { entries: page, next_before: found.length > 2 ? page[1]?.id : null } }
  })

test('it says who did what to which thing, and what was refused', async () => {
  keep([entry(2, { name: 'Bob', method: 'DELETE', status: 403 }), entry(1, { status: 500 })])
  renderPage(<AuditLog />)
  expect(await screen.findByText('Bob')).toBeInTheDocument()
  expect(screen.getByText('Removed', { selector: 'span' })).toBeInTheDocument()
  expect(screen.getByText('refused, 403')).toBeInTheDocument()
  expect(screen.getByText('failed, 500')).toBeInTheDocument()
  expect(screen.getByText('/api/models/m_1')).toBeInTheDocument()
})

test('older entries come on demand', async () => {
  keep([entry(3), entry(2), entry(1)])
  renderPage(<AuditLog />)
  expect(await screen.findByText('/api/models/m_2')).toBeInTheDocument()
  expect(screen.queryByText('/api/models/m_1')).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Show older ones' }))
  expect(await screen.findByText('/api/models/m_1')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Show older ones' })).toBeNull()
})

test('who and action are chosen in the address and asked of the server', async () => {
  const requests = keep([entry(2, { name: 'Bob', method: 'DELETE' }), entry(1)])
  renderPage(<AuditLog />, '/settings/audit?action=DELETE')
  expect(await screen.findByText('Bob')).toBeInTheDocument()
  expect(screen.queryByText('Ann')).toBeNull()
  await userEvent.type(screen.getByLabelText('Who'), 'Ann')
  expect(await screen.findByText('No such changes')).toBeInTheDocument()
  await userEvent.selectOptions(screen.getByLabelText('Action'), '')
  expect(await screen.findByText('/api/models/m_1')).toBeInTheDocument()
  expect(requests).toContain('GET /api/audit?who=Ann&method=DELETE&limit=50')
  expect(requests.at(-1)).toBe('GET /api/audit?who=Ann&limit=50')
})

test('without changes it says what will appear', async () => {
  keep([])
  renderPage(<AuditLog />)
  expect(await screen.findByText('Nothing was changed yet')).toBeInTheDocument()
})

test('a server that asks nobody says that it keeps no record', async () => {
  keep([], { access: 'open' })
  renderPage(<AuditLog />)
  expect(await screen.findByText('Access is open')).toBeInTheDocument()
})

test('only admins are shown the way there, and the record', async () => {
  keep([entry(1)], { role: 'editor' })
  renderPage(<AuditLog />)
  expect(await screen.findByText('The record is for admins.')).toBeInTheDocument()
  renderPage(<AuditSettings />)
  expect(screen.queryByRole('link', { name: 'Look at it' })).toBeNull()
})

test('admins find it in the settings', async () => {
  keep([])
  renderPage(<AuditSettings />)
  expect(await screen.findByRole('link', { name: 'Look at it' })).toHaveAttribute(
    'href',
    '/settings/audit',
  )
})

import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { FamilyPage } from '@/app/pages/family'
import { ModelPage } from '@/app/pages/model'
import { routes } from '@/app/router'
import type { Role, Session, Token, User } from '@/lib/access'
import { renderRoutes, serve } from '@/testing/render'
import { detail, family, tree } from '@/testing/samples'

const PASSWORD = 'correct horse battery'

const session = (role: Role, changes: Partial<Session> = {}): Session => ({
  access: 'login',
  role,
  name: 'ada',
  user_id: 'u_1',
  token_id: null,
  session_id: 's_1',
  token_expires_at: null,
  ...changes,
})

const refused = {
  status: 401,
  json: {
    type: '/problems/not-signed-in',
    title: 'x',
    status: 401,
    detail: 'No.',
    request_id: 'r',
  },
}

/** A server with users; `role` null: nobody is signed in. */
function serveUsers(role: Role | null, { awaitsSetup = false } = {}) {
  const state = { who: role === null ? null : session(role) }
  const bodies: Record<string, string> = {}
  const token: Token = {
    id: 't_1',
    name: 'nightly',
    role: 'viewer',
    user_id: 'u_1',
    state: 'valid',
    created_at: '2026-11-20T10:00:00Z',
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
  }
  const made: Token[] = []
  const users: User[] = [
    {
      id: 'u_1',
      name: 'ada',
      role: 'admin',
      disabled: false,
      has_password: true,
      created_at: '2026-11-20T10:00:00Z',
      last_seen_at: null,
    },
    {
      id: 'u_2',
      name: 'eve',
      role: 'viewer',
      disabled: false,
      has_password: true,
      created_at: '2026-11-20T10:00:00Z',
      last_seen_at: null,
    },
  ]
  const requests = serve((request, body) => {
    bodies[request] = body
    if (request === 'GET /api/access')
      return { json: { access: 'login', awaits_setup: awaitsSetup } }
    if (request === 'POST /api/session/password' || request === 'POST /api/access/setup') {
      if ((JSON.parse(body) as { password: string }).password !== PASSWORD) return refused
      state.who = session('admin')
      return { json: state.who }
    }
    if (state.who === null) return refused
    if (request === 'GET /api/session') return { json: state.who }
    if (request === 'GET /api/users') return { json: { users } }
    if (request === 'GET /api/tokens') return { json: { tokens: [] } }
    if (request === 'GET /api/session/tokens') return { json: { tokens: made } }
    if (request === 'POST /api/session/tokens') {
      made.push(token)
      return { status: 201, json: { ...token, token: 'mh_text' } }
    }
    if (request.startsWith('PATCH /api/users/')) return { json: users[1] }
    if (request === 'POST /api/users') return { status: 201, json: users[1] }
    if (request === 'GET /api/sessions') {
      const row = { user_id: 'u_1', token_id: null, name: 'ada', agent: 'Browser' }
      const times = {
        created_at: '2026-11-20T10:00:00Z',
        last_used_at: '2026-11-20T10:00:00Z',
        expires_at: '2026-11-21T10:00:00Z',
      }
      return {
        json: {
          sessions: [
            { id: 's_1', address: '10.0.0.1', present: true, ...row, ...times },
            { id: 's_2', address: '10.0.0.2', present: false, ...row, ...times },
          ],
        },
      }
    }
    if (request === 'GET /api/owners') {
      return {
        json: {
          owners: [{ id: 'u_2', name: 'eve', models: 2, bytes: 2048 }],
          limits: { models: null, bytes: null },
          limits_per_owner: { models: 10, bytes: null },
        },
      }
    }
    if (request.endsWith('/deletion')) {
      return {
        json: {
          models: 2,
          bytes: 2048,
          children: [{ id: 'm_9', name: 'left-over' }],
          children_total: 1,
          families: 1,
          families_ended: 0,
          statements: 3,
        },
      }
    }
    if (request.startsWith('DELETE /api/')) return { status: 202, json: { job_id: 'j_1' } }
    if (/^GET \/api\/families\/[^/]+$/.test(request)) return { json: family() }
    if (/^GET \/api\/families\/[^/]+\/tree$/.test(request)) return { json: tree() }
    return undefined
  })
  return { requests, bodies }
}

test('people sign in with name and password, or with a token', async () => {
  const { bodies } = serveUsers(null)
  renderRoutes(routes, '/no-such-page')
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Name'), 'ada')
  await user.type(screen.getByLabelText('Password'), PASSWORD)
  await user.click(screen.getByRole('button', { name: 'Sign in with a token instead' }))
  expect(screen.getByLabelText('Token')).toHaveAttribute('type', 'password')
  await user.click(screen.getByRole('button', { name: 'Sign in with name and password' }))
  await user.type(screen.getByLabelText('Name'), 'ada')
  await user.type(screen.getByLabelText('Password'), 'wrong')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('No.')
  await user.clear(screen.getByLabelText('Password'))
  await user.type(screen.getByLabelText('Password'), PASSWORD)
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('There is no such page')).toBeInTheDocument()
  expect(JSON.parse(bodies['POST /api/session/password'] ?? '')).toEqual({
    name: 'ada',
    password: PASSWORD,
  })
})

test('the first admin is made with the code of the log', async () => {
  const { bodies } = serveUsers(null, { awaitsSetup: true })
  renderRoutes(routes, '/no-such-page')
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Code'), 'abc')
  await user.type(screen.getByLabelText('Name'), 'ada')
  await user.type(screen.getByLabelText('Password'), PASSWORD)
  await user.click(screen.getByRole('button', { name: 'Make the admin and sign in' }))
  expect(await screen.findByText('There is no such page')).toBeInTheDocument()
  expect(bodies['POST /api/access/setup']).toContain('"code":"abc"')
})

test('admins look after users, sessions and what each one keeps', async () => {
  const { requests, bodies } = serveUsers('admin')
  renderRoutes(routes, '/settings')
  const user = userEvent.setup()
  await user.selectOptions(await screen.findByLabelText('Role of eve'), 'editor')
  await waitFor(() => expect(bodies['PATCH /api/users/u_2']).toBe('{"role":"editor"}'))
  expect(screen.queryByRole('button', { name: 'Remove ada' })).toBeNull()
  await user.click(screen.getByRole('button', { name: 'End the session of ada from 10.0.0.2' }))
  await waitFor(() => expect(requests).toContain('DELETE /api/sessions/s_2'))
  await user.click(screen.getByRole('button', { name: 'Delete all models of eve' }))
  const dialog = await screen.findByRole('alertdialog')
  expect(await within(dialog).findByText(/^2 models of .* are deleted\.$/)).toBeInTheDocument()
  expect(within(dialog).getByText('left-over')).toBeInTheDocument()
  expect(requests).not.toContain('DELETE /api/owners/u_2/models')
  await user.click(within(dialog).getByRole('button', { name: 'Delete the models' }))
  await waitFor(() => expect(requests).toContain('DELETE /api/owners/u_2/models'))
  await user.click(screen.getByRole('button', { name: 'Add a user' }))
  await user.type(screen.getByLabelText('Name'), 'bob')
  await user.type(screen.getByLabelText('Password'), PASSWORD)
  const [submit] = screen.getAllByRole('button', { name: 'Add a user' }).slice(-1)
  if (!submit) throw new Error('no button')
  await user.click(submit)
  await waitFor(() => expect(bodies['POST /api/users']).toContain('"name":"bob"'))
})

test('viewers are offered nothing that they may not do', async () => {
  serveUsers('viewer')
  renderRoutes(routes, '/settings')
  expect(await screen.findByRole('heading', { name: 'Your password' })).toBeInTheDocument()
  for (const name of ['Add a user', 'Make a token', 'Delete all models of eve'])
    expect(screen.queryByRole('button', { name })).toBeNull()
  expect(screen.queryByRole('link', { name: 'Add Model' })).toBeNull()
})

test('everybody makes and revokes tokens of their own, up to their role', async () => {
  const { requests, bodies } = serveUsers('editor')
  renderRoutes(routes, '/settings')
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Make a token for yourself' }))
  await user.type(screen.getByLabelText('What it is for'), 'nightly')
  const roles = within(screen.getByLabelText('Role')).getAllByRole('option')
  expect(roles.map((role) => role.textContent)).toEqual(['Viewer', 'Editor'])
  await user.click(screen.getByRole('button', { name: 'Make a token' }))
  expect(await screen.findByText('mh_text')).toBeInTheDocument()
  expect(JSON.parse(bodies['POST /api/session/tokens'] ?? '')).toEqual({
    name: 'nightly',
    role: 'viewer',
    expires_in_days: 90,
  })
  await user.click(screen.getByRole('button', { name: 'Done' }))
  expect(requests).not.toContain('GET /api/tokens')
  await user.click(await screen.findByRole('button', { name: /^Revoke / }))
  const dialog = await screen.findByRole('alertdialog')
  await user.click(within(dialog).getByRole('button', { name: 'Revoke' }))
  await waitFor(() => expect(requests).toContain('DELETE /api/session/tokens/t_1'))
})

test.each([
  ['viewer', false, false],
  ['editor', true, false],
  ['admin', true, true],
] as const)('of a family a %s is offered what they may', async (role, changes, deletes) => {
  const { requests } = serveUsers(role)
  renderRoutes(
    [
      { path: '/families/:id', element: <FamilyPage /> },
      { path: '/jobs', element: null },
    ],
    '/families/f_1',
  )
  expect(await screen.findByRole('link', { name: 'Its models' })).toBeInTheDocument()
  await waitFor(() =>
    expect(screen.queryByRole('button', { name: 'Solve again' }) !== null).toBe(changes),
  )
  const button = screen.queryByRole('button', { name: 'Delete' })
  expect(button !== null).toBe(deletes)
  if (!button) return
  const user = userEvent.setup()
  await user.click(button)
  expect(await screen.findByText('With them go 3 corrections by people.')).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Delete family' }))
  await waitFor(() => expect(requests).toContain('DELETE /api/families/f_1'))
})

test.each([
  ['viewer', 'u_1', false],
  ['editor', 'u_1', true],
  ['editor', 'u_2', false],
  ['admin', 'u_2', true],
] as const)('a %s may delete a model of %s: %s', async (role, owner, may) => {
  const model = detail({ owner: { id: owner, name: 'somebody' } })
  serve((request) => {
    if (request === 'GET /api/session') return { json: session(role) }
    return request === `GET /api/models/${model.id}` ? { json: model } : undefined
  })
  renderRoutes([{ path: '/models/:id', element: <ModelPage /> }], `/models/${model.id}`)
  expect(await screen.findByRole('link', { name: 'Download' })).toBeInTheDocument()
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Delete' }) !== null).toBe(may))
})

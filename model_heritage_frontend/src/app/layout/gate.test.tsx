import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { routes } from '@/app/router'
import type { Session, Token } from '@/lib/access'
import { renderRoutes, serve } from '@/testing/render'

const GOOD = 'mh_good'

const session = (changes: Partial<Session> = {}): Session => ({
  access: 'token',
  role: 'admin',
  name: 'Ada',
  user_id: null,
  token_id: 't_1',
  session_id: 's_1',
  token_expires_at: null,
  ...changes,
})

const token = (changes: Partial<Token> = {}): Token => ({
  id: 't_1',
  name: 'Ada',
  role: 'admin',
  user_id: null,
  state: 'valid',
  created_at: '2026-11-20T10:00:00Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  ...changes,
})

const refused = {
  status: 401,
  json: {
    type: '/problems/not-signed-in',
    title: 'A token is needed',
    status: 401,
    detail: 'This is no token of this server.',
    request_id: 'r-1',
  },
}

/** A server that knows one token, and says of whoever has it what `who` says. */
function guard(who: Session = session(), tokens: Token[] = [token()]) {
  const state = { signedIn: false, tokens }
  const requests = serve((request, body) => {
    if (request === 'POST /api/session') {
      state.signedIn = (JSON.parse(body) as { token: string }).token === GOOD
      return state.signedIn ? { json: who } : refused
    }
    if (!state.signedIn) return refused
    if (request === 'DELETE /api/session') {
      state.signedIn = false
      return { json: null }
    }
    if (request === 'GET /api/session') return { json: who }
    if (request === 'GET /api/tokens') return { json: { tokens: state.tokens } }
    if (request === 'POST /api/tokens') {
      const made = token({ id: 't_2', name: 'CI', role: 'editor' })
      state.tokens = [made, ...state.tokens]
      return { status: 201, json: { ...made, token: 'mh_new' } }
    }
    if (request.startsWith('DELETE /api/tokens/')) {
      state.tokens = state.tokens.map((each) => ({ ...each, state: 'revoked' }))
      return { json: null }
    }
    return undefined
  })
  return { state, requests }
}

async function signIn(text: string) {
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Token'), text)
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  return user
}

test('who is not signed in is asked for a token, which goes into no address', async () => {
  const { requests } = guard()
  renderRoutes(routes, '/no-such-page')
  expect(await screen.findByRole('heading', { level: 1, name: 'Sign in' })).toBeInTheDocument()
  expect(screen.getByLabelText('Token')).toHaveAttribute('type', 'password')
  expect(screen.queryByRole('link', { name: 'Add Model' })).toBeNull()
  expect(screen.getByLabelText('Token').closest('[aria-disabled="true"]')).toBeNull()
  const user = await signIn('mh_wrong')
  expect(await screen.findByText('This is no token of this server.')).toBeInTheDocument()
  await user.clear(screen.getByLabelText('Token'))
  await signIn(` ${GOOD} `)
  expect(await screen.findByText('There is no such page')).toBeInTheDocument()
  expect(requests.join()).not.toContain('mh_')
  expect(JSON.stringify(Object.entries(localStorage))).not.toContain(GOOD)
})

test('the menu tells who is there, and signs out', async () => {
  guard()
  renderRoutes(routes, '/no-such-page')
  const user = await signIn(GOOD)
  await user.click(await screen.findByRole('button', { name: 'Your access' }))
  expect(await screen.findByText('Admin')).toBeInTheDocument()
  await user.click(screen.getByRole('menuitem', { name: 'Sign out' }))
  expect(await screen.findByLabelText('Token')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Your access' })).toBeNull()
})

test('admins see who may come in, make tokens and revoke them', async () => {
  guard()
  renderRoutes(routes, '/settings')
  const user = await signIn(GOOD)
  expect(await screen.findByText('yours')).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Make a token' }))
  await user.type(screen.getByLabelText('What it is for'), 'CI')
  await user.selectOptions(screen.getByLabelText('Role'), 'editor')
  const [submit] = screen.getAllByRole('button', { name: 'Make a token' }).slice(-1)
  if (!submit) throw new Error('no button')
  await user.click(submit)
  expect(await screen.findByText('mh_new')).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Done' }))
  await waitFor(() => expect(screen.queryByText('mh_new')).toBeNull())
  expect(await screen.findByText('CI')).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Revoke CI' }))
  expect(await screen.findByText('Revoke “CI”?')).toBeInTheDocument()
  const confirm = screen.getAllByRole('button', { name: 'Revoke' }).at(-1)
  if (!confirm) throw new Error('no button')
  await user.click(confirm)
  expect(await screen.findAllByText('Revoked')).toHaveLength(2)
})

test.each([
  ['viewers', session({ role: 'viewer' })],
  ['everyone where access is open', session({ access: 'open', token_id: null })],
])('%s see no tokens', async (_, who) => {
  const { state } = guard(who)
  state.signedIn = true
  renderRoutes(routes, '/settings')
  expect(await screen.findByRole('heading', { level: 1, name: 'Settings' })).toBeInTheDocument()
  expect(await screen.findByRole('heading', { name: 'About this server' })).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Make a token' })).toBeNull()
  // Whoever is signed in has a name already.
  expect(screen.queryAllByLabelText('Your name')).toHaveLength(who.access === 'open' ? 1 : 0)
})

test('viewers are not invited to add models', async () => {
  const { state } = guard(session({ role: 'viewer' }))
  state.signedIn = true
  renderRoutes(routes, '/')
  await waitFor(() => expect(screen.queryByRole('link', { name: 'Add Model' })).toBeNull())
  expect(screen.getByRole('link', { name: 'Browse the models' })).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Choose files' })).toBeNull()
  const tour = within(screen.getByRole('region', { name: 'Tour' }))
  expect(tour.getByRole('heading', { name: 'Read the sentence' })).toBeInTheDocument()
  expect(tour.getByText('1 of 2')).toBeInTheDocument()
  expect(document.querySelector('[aria-disabled="true"]')).toBeNull()
})

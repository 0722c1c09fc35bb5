import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test } from 'vitest'

import { renderPage, serve, type Answer } from '@/testing/render'
import { detail, job } from '@/testing/samples'
import { UploadServer } from '@/testing/upload-server'

import { UploadForm } from './upload-form'
import { UploadProvider } from './upload-provider'

const SLOW = { timeout: 120_000 }

let server: UploadServer
beforeEach(() => {
  localStorage.clear()
  server = new UploadServer()
})

const show = (at = '/add') =>
  renderPage(
    <UploadProvider>
      <UploadForm />
    </UploadProvider>,
    at,
  )

async function choose(...names: string[]) {
  const user = userEvent.setup({ applyAccept: false })
  const files = names.map((name) => new File(['weights'], name, { lastModified: 1 }))
  await user.upload(screen.getByLabelText('Checkpoint files'), files)
  return user
}

const add = async (user: Awaited<ReturnType<typeof choose>>, count = 1) =>
  user.click(
    await screen.findByRole('button', { name: `Add ${count} model${count > 1 ? 's' : ''}` }),
  )

const STORED: Answer = { status: 202, json: { model_id: 'm_child', job_id: 'j_1' } }

/** The rest of the API: the uploads' state, their joining, its job, the model. */
const answer = (changes: Record<string, Answer | (() => Answer)> = {}) =>
  serve((request) => {
    const changed = Object.entries(changes).find(([begin]) => request.startsWith(begin))?.[1]
    if (changed) return typeof changed === 'function' ? changed() : changed
    if (request.startsWith('GET /api/uploads/'))
      return { json: { state: 'received', model_id: null, job_id: null } }
    if (request === 'POST /api/uploads/complete') return STORED
    if (request === 'GET /api/jobs/j_1') return { json: job() }
    return request === 'GET /api/models/m_child' ? { json: detail() } : undefined
  })

test('a file goes from its name to its parent', async () => {
  const requests = answer()
  show()
  const user = await choose('child.safetensors')
  const name = await screen.findByLabelText('Name')
  expect(name).toHaveValue('child')
  await user.clear(name)
  await user.type(name, 'My child & co')
  await add(user)
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'base' })).toHaveAttribute('href', '/models/m_base')
  expect(screen.getByRole('link', { name: 'Open model' })).toHaveAttribute(
    'href',
    '/models/m_child',
  )
  expect(server.files).toEqual({ 'child.safetensors': 'weights' })
  expect(server.requests).toEqual(['POST /api/uploads', 'PATCH /api/uploads/u_1'])
  expect(requests).toContain('POST /api/uploads/complete')
  // What is ended is not gone on with.
  await waitFor(() => expect(localStorage).toHaveLength(0))
})

test('what is said of a model goes along', async () => {
  let sent: unknown
  answer()
  const fetched = globalThis.fetch
  globalThis.fetch = (url, init) => {
    if (url === '/api/uploads/complete') sent = JSON.parse(init?.body as string)
    return fetched(url, init)
  }
  show()
  const user = await choose('child.pt')
  await user.click(await screen.findByText('Say more'))
  await user.type(screen.getByLabelText('Description'), 'Tuned.')
  await user.type(screen.getByLabelText('Licence'), 'mit')
  await user.type(screen.getByLabelText('Tags'), 'vision, small')
  await user.type(screen.getByLabelText('Said to come from'), 'org/base')
  await add(user)
  await screen.findByText(/97% sure/, undefined, SLOW)
  expect(sent).toEqual({
    uploads: ['u_1'],
    name: 'child',
    description: 'Tuned.',
    licence: 'mit',
    tags: ['vision', 'small'],
    base_model: 'org/base',
  })
})

test('while its place is looked for, it says so', async () => {
  let asked = 0
  const states = [
    job({ state: 'queued', progress: 0 }),
    job({ state: 'running', progress: 0.5, eta_seconds: 20 }),
    job(),
  ]
  answer({ 'GET /api/jobs/j_1': () => ({ json: states[asked++] ?? job() }) })
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByText(/when it is its turn/)).toBeInTheDocument()
  expect(await screen.findByText(/20 seconds left/, undefined, SLOW)).toBeInTheDocument()
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '50')
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
})

test('a duplicate is already here, with a link', async () => {
  const detail = 'The same file is stored as “base”.'
  const json = { type: '/problems/duplicate-model', title: 'No', detail, existing_id: 'm_base' }
  answer({ 'POST /api/uploads/complete': { status: 409, json } })
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByText('Already here', undefined, SLOW)).toBeInTheDocument()
  expect(screen.getByText(detail)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: /Open the model/ })).toHaveAttribute(
    'href',
    '/models/m_base',
  )
  expect(localStorage).toHaveLength(0)
})

test('a file that is refused says why', async () => {
  const json = { type: '/problems/invalid-weights', title: 'No', detail: 'It ends early.' }
  answer({ 'POST /api/uploads/complete': { status: 422, json } })
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByRole('alert', undefined, SLOW)).toHaveTextContent('It ends early.')
})

test('a fault of the server is waited out, and asked for what became of it', async () => {
  let fault = true
  const requests = answer({
    'POST /api/uploads/complete': () => ({ status: 503, json: { title: 'Busy' } }),
    'GET /api/uploads/u_1': () => {
      const made = fault ? null : 'm_child'
      fault = false
      return { json: { state: made ? 'done' : 'received', model_id: made, job_id: null } }
    },
  })
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(requests.filter((request) => request.endsWith('/complete'))).toHaveLength(1)
})

test('a lost connection is gone on with by itself, from where it broke', async () => {
  answer()
  server.mishap = { kind: 'lose', after: 3 }
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByText(/goes on by itself/)).toBeInTheDocument()
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(server.files).toEqual({ 'child.pt': 'weights' })
  expect(server.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
})

test('an upload is paused and resumed', async () => {
  answer()
  server.mishap = { kind: 'stall', after: 3 }
  show()
  const user = await choose('child.pt')
  await add(user)
  await waitFor(() => expect(server.files).toEqual({ 'child.pt': 'wei' }))
  await user.click(screen.getByRole('button', { name: 'Pause child.pt' }))
  expect(await screen.findByText(/What has arrived is kept/)).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Resume child.pt' }))
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(server.files).toEqual({ 'child.pt': 'weights' })
  expect(server.uploads.size).toBe(1)
})

test('the same file goes on after the page was closed', async () => {
  answer()
  server.mishap = { kind: 'stall', after: 3 }
  const first = show()
  await add(await choose('child.pt'))
  await waitFor(() => expect(server.files).toEqual({ 'child.pt': 'wei' }))
  first.unmount()
  show()
  await add(await choose('child.pt'))
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(server.files).toEqual({ 'child.pt': 'weights' })
  expect(server.uploads.size).toBe(1)
})

test('a cancelled upload is thrown away on the server, too', async () => {
  answer()
  server.mishap = { kind: 'stall', after: 3 }
  show()
  const user = await choose('child.pt')
  await add(user)
  await waitFor(() => expect(server.files).toEqual({ 'child.pt': 'wei' }))
  await user.click(screen.getByRole('button', { name: 'Cancel child.pt' }))
  expect(screen.queryByRole('progressbar')).toBeNull()
  await waitFor(() => expect(server.uploads.size).toBe(0))
  expect(localStorage).toHaveLength(0)
})

test('the parts of one model are one row and one model', async () => {
  answer()
  show()
  const names = [1, 2].map((number) => `bert-0000${number}-of-00002.safetensors`)
  const texts = ['bert.safetensors.index.json', 'README.md']
  const user = await choose(...names, ...texts)
  expect(await screen.findByLabelText('Name')).toHaveValue('bert')
  expect(screen.getByRole('group', { name: 'bert' })).toHaveTextContent(
    `2 parts · 28 B · with ${texts.join(', ')}`,
  )
  await add(user)
  expect(await screen.findByText(/97% sure/, undefined, SLOW)).toBeInTheDocument()
  expect(Object.keys(server.files)).toEqual([...names, ...texts])
  expect([...server.uploads.values()].every(({ metadata }) => metadata.part === '1')).toBe(true)
})

test('an unsuitable file is refused before anything is sent', async () => {
  show()
  await choose('notes.txt')
  expect(await screen.findByRole('alert')).toHaveTextContent('.safetensors')
  expect(screen.queryByRole('button', { name: /^Add/ })).toBeNull()
})

test('a name is required', async () => {
  show()
  const user = await choose('child.pt')
  await user.clear(await screen.findByLabelText('Name'))
  expect(screen.getByText('Every model needs a name.')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Add 1 model' })).toBeDisabled()
})

test('a file can be looked up without being stored, and added after all', async () => {
  const { router } = show()
  const user = await choose('child.pt')
  await user.click(screen.getByRole('switch', { name: /Only tell me where it belongs/ }))
  expect(router.state.location.search).toBe('?mode=identify')
  expect(screen.queryByLabelText('Name')).toBeNull()
  await user.click(await screen.findByRole('button', { name: 'Look up 1 model' }))
  await waitFor(() => expect(server.requests).toEqual(['POST /api/identify']))
  const body = server.last?.body
  expect(body instanceof FormData && body.getAll('file')).toHaveLength(1)
  const parent = { ...detail().lineage.parent, reasons: ['Only some weights differ.'] }
  server.last?.answer(200, {
    family_id: 'f_1',
    family_name: 'Family of base',
    candidates: [parent, { id: 'm_other', name: 'other', confidence: 0.02 }],
    children: [{ id: 'm_pruned', name: 'pruned', confidence: 0.9, relation: 'pruned' }],
    existing_id: null,
    parent_id: 'm_base',
    relation: 'finetune',
    confidence: 0.97,
  })
  const card = within(await screen.findByTestId('identified'))
  expect(card.getByText('Looked up, not stored')).toBeInTheDocument()
  expect(card.getByRole('link', { name: 'base' })).toHaveAttribute('href', '/models/m_base')
  expect(card.getByText('97%')).toBeInTheDocument()
  expect(card.getByText('Only some weights differ.')).toBeInTheDocument()
  expect(card.getByRole('link', { name: 'other' })).toBeInTheDocument()
  expect(card.getByRole('link', { name: 'pruned' })).toBeInTheDocument()
  await user.click(card.getByRole('button', { name: 'Add it after all' }))
  expect(await screen.findByLabelText('Name')).toHaveValue('child')
})

test('what cannot be looked up says why and can be tried again', async () => {
  show('/add?mode=identify')
  const user = await choose('child.pt')
  await user.click(await screen.findByRole('button', { name: 'Look up 1 model' }))
  await waitFor(() => expect(server.last).not.toBeNull())
  server.last?.answer(422, { title: 'No', detail: 'One part is missing.' })
  expect(await screen.findByRole('alert')).toHaveTextContent('One part is missing.')
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  await waitFor(() => expect(server.requests).toHaveLength(2))
})

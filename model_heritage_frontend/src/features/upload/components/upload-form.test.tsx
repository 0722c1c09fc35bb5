import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test, vi } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { detail, uploadResult } from '@/testing/samples'

import { UploadForm } from './upload-form'
import { UploadProvider } from './upload-provider'

/** Stands in for the browser's own XMLHttpRequest; the test plays the network's part. */
class FakeRequest extends EventTarget {
  static last: FakeRequest
  upload = new EventTarget()
  method = ''
  url = ''
  status = 0
  responseText = ''
  aborted = false
  body: unknown = null
  constructor() {
    super()
    FakeRequest.last = this
  }
  open(method: string, url: string) {
    this.method = method
    this.url = url
  }
  setRequestHeader() {
    return undefined
  }
  send(body: unknown) {
    this.body = body
  }
  abort() {
    this.aborted = true
    this.dispatchEvent(new Event('abort'))
  }
  answer(status: number, body: unknown) {
    this.status = status
    this.responseText = JSON.stringify(body)
    this.dispatchEvent(new Event('load'))
  }
}

beforeEach(() => {
  vi.stubGlobal('XMLHttpRequest', FakeRequest)
})

const show = () =>
  renderPage(
    <UploadProvider>
      <UploadForm />
    </UploadProvider>,
  )

async function choose(name: string) {
  const user = userEvent.setup({ applyAccept: false })
  await user.upload(screen.getByLabelText('Checkpoint files'), new File(['weights'], name))
  return user
}

test('a file goes from its name to its parent', async () => {
  show()
  const user = await choose('child.safetensors')
  const name = await screen.findByLabelText('Name')
  expect(name).toHaveValue('child')
  await user.clear(name)
  await user.type(name, 'My child & co')
  await user.click(screen.getByRole('button', { name: 'Add 1 model' }))

  // The row shows progress from the first moment, before any event came.
  expect(await screen.findByRole('progressbar', { name: 'Uploading My child & co' })).toBeVisible()
  expect(FakeRequest.last.method).toBe('PUT')
  expect(FakeRequest.last.url).toBe('/api/models?name=My+child+%26+co&filename=child.safetensors')
  FakeRequest.last.upload.dispatchEvent(new Event('load'))
  expect(await screen.findByText(/Reading weights/)).toBeInTheDocument()

  FakeRequest.last.answer(201, uploadResult())
  expect(await screen.findByText(/97% sure/)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'base' })).toHaveAttribute('href', '/models/m_base')
  expect(screen.getByRole('link', { name: 'Open model' })).toHaveAttribute(
    'href',
    '/models/m_child',
  )
})

test('an answer that comes before the parent is known is followed up', async () => {
  const states = ['processing', 'ok'] as const
  let asked = 0
  serve((request) => {
    if (request !== 'GET /api/models/m_child') return undefined
    const status = states[Math.min(asked, 1)]
    asked += 1
    return { json: detail({ status }) }
  })
  show()
  const user = await choose('child.pt')
  await user.click(await screen.findByRole('button', { name: 'Add 1 model' }))
  FakeRequest.last.upload.dispatchEvent(new Event('load'))
  FakeRequest.last.answer(202, { model_id: 'm_child', job_id: 'j_1', status: 'processing' })
  expect(await screen.findByText(/Reading weights/)).toBeInTheDocument()
  expect(await screen.findByText(/97% sure/, undefined, { timeout: 3000 })).toBeInTheDocument()
  expect(asked).toBe(2)
})

test('a duplicate leads to the model that is here', async () => {
  show()
  const user = await choose('child.pt')
  await user.click(await screen.findByRole('button', { name: 'Add 1 model' }))
  FakeRequest.last.answer(409, {
    type: '/problems/duplicate-model',
    title: 'This model is already here',
    detail: 'The same file is stored as “base”.',
    existing_id: 'm_base',
  })
  expect(await screen.findByRole('alert')).toHaveTextContent('The same file is stored as “base”.')
  expect(screen.getByRole('link', { name: /Open the model/ })).toHaveAttribute(
    'href',
    '/models/m_base',
  )
})

test('an unsuitable file is refused before anything is sent', async () => {
  show()
  await choose('notes.txt')
  expect(await screen.findByRole('alert')).toHaveTextContent('.safetensors')
  expect(screen.queryByRole('button', { name: /^Add/ })).toBeNull()
})

test('the parts of one model are one row and one upload', async () => {
  show()
  const user = userEvent.setup()
  const names = [1, 2, 3].map((number) => `bert-0000${number}-of-00003.safetensors`)
  const texts = ['bert.safetensors.index.json', 'README.md']
  const files = [...names, ...texts].map((name) => new File(['weights'], name))
  await user.upload(screen.getByLabelText('Checkpoint files'), files)
  expect(await screen.findByLabelText('Name')).toHaveValue('bert')
  expect(screen.getByRole('group', { name: 'bert' })).toHaveTextContent(
    `3 parts · 35 B · with ${texts.join(', ')}`,
  )
  const sentFiles = () => {
    const { body } = FakeRequest.last
    if (!(body instanceof FormData)) throw new Error('expected a form')
    return body.getAll('file').map((file) => (file instanceof File ? file.name : file))
  }

  await user.click(screen.getByRole('button', { name: 'Only look up' }))
  await screen.findByRole('progressbar')
  expect([FakeRequest.last.method, FakeRequest.last.url]).toEqual(['POST', '/api/identify'])
  expect(sentFiles()).toEqual([...names, ...texts])
  FakeRequest.last.answer(422, { title: 'No', detail: 'One part is missing.' })
  await user.click(await screen.findByRole('button', { name: 'Try again' }))

  await user.click(await screen.findByRole('button', { name: 'Add 1 model' }))
  expect(await screen.findByRole('progressbar', { name: 'Uploading bert' })).toBeVisible()
  expect([FakeRequest.last.method, FakeRequest.last.url]).toEqual(['POST', '/api/models'])
  expect(sentFiles()).toEqual([...names, ...texts])
  expect((FakeRequest.last.body as FormData).get('name')).toBe('bert')
  FakeRequest.last.answer(201, uploadResult())
  expect(await screen.findByText(/97% sure/)).toBeInTheDocument()
})

test('a name is required', async () => {
  show()
  const user = await choose('child.pt')
  await user.clear(await screen.findByLabelText('Name'))
  expect(screen.getByText('Every model needs a name.')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Add 1 model' })).toBeDisabled()
})

test('a file can be looked up without being stored, and added after all', async () => {
  show()
  const user = await choose('child.pt')
  await user.click(await screen.findByRole('button', { name: 'Only look up' }))
  expect(await screen.findByRole('progressbar')).toBeVisible()
  expect([FakeRequest.last.method, FakeRequest.last.url]).toEqual(['POST', '/api/identify'])
  const { parent } = detail().lineage
  FakeRequest.last.answer(200, {
    family_id: 'f_1',
    family_name: 'Family of base',
    candidates: [parent, { id: 'm_other', name: 'other', confidence: 0.02 }],
    children: [],
    existing_id: null,
    parent_id: 'm_base',
    relation: 'finetune',
    confidence: 0.97,
  })
  expect(await screen.findByText('Looked up, not stored')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'base' })).toHaveAttribute('href', '/models/m_base')
  expect(screen.getByText('97%')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'other' })).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Add it after all' }))
  expect(await screen.findByLabelText('Name')).toHaveValue('child')
})

test('an upload can be cancelled', async () => {
  show()
  const user = await choose('child.pt')
  await user.click(await screen.findByRole('button', { name: 'Add 1 model' }))
  await user.click(await screen.findByRole('button', { name: 'Cancel child.pt' }))
  expect(FakeRequest.last.aborted).toBe(true)
  await waitFor(() => expect(screen.queryByRole('progressbar')).toBeNull())
})

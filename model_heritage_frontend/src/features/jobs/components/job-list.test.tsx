import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { job, model } from '@/testing/samples'
import type { Job } from '@/lib/types'

import { AdminActions } from './admin-actions'
import { JobList } from './job-list'

/** Answers as the server does: filtered by state, two on a page. */
const lake = (jobs: Job[]) =>
  serve((request) => {
    if (request.startsWith('GET /api/models')) {
      return { json: { models: [model()], total: 1, next_cursor: null } }
    }
    if (request.startsWith('GET /api/jobs?')) {
      const query = new URLSearchParams(request.split('?')[1])
      const state = query.get('state')
      const found = jobs.filter((each) => state === null || each.state === state)
      const start = Number(query.get('cursor') ?? 0)
      const rest = start + 2 < found.length ? String(start + 2) : null
      return {
        json: { jobs: found.slice(start, start + 2), total: found.length, next_cursor: rest },
      }
    }
    return request.startsWith('DELETE') || request.includes('/retry') ? { json: job() } : undefined
  })

test('jobs tell what they did, to which model, and how it ended', async () => {
  lake([job(), job({ id: 'j_2', state: 'failed', error: 'The file ends early.', model_id: 'm_x' })])
  renderPage(<JobList />)
  expect(await screen.findByRole('link', { name: 'child' })).toHaveAttribute(
    'href',
    '/models/m_child',
  )
  expect(screen.getByText('The file ends early.')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Model' })).toHaveAttribute('href', '/models/m_x')
})

test('a running job shows how far it is and can be cancelled', async () => {
  const running = {
    state: 'running',
    progress: 0.27,
    eta_seconds: 41.5,
    finished_at: null,
  } as const
  const requests = lake([
    job({ ...running, kind: 'recluster', model_id: null, stage: 'solving family 3 of 20' }),
  ])
  renderPage(<JobList />)
  expect(await screen.findByText('solving family 3 of 20')).toBeInTheDocument()
  expect(screen.getByText(/27% · 40 seconds left/)).toBeInTheDocument()
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '27')
  await userEvent.click(screen.getByRole('button', { name: /^Cancel: Solve the whole lake/ }))
  expect(requests).toContain('DELETE /api/jobs/j_1')
})

test('what failed or was cancelled can be tried again, what is done cannot', async () => {
  const requests = lake([job(), job({ id: 'j_2', state: 'cancelled' })])
  renderPage(<JobList />)
  await userEvent.click(await screen.findByRole('button', { name: /^Try again/ }))
  expect(requests).toContain('POST /api/jobs/j_2/retry')
})

test('editors stop a deletion of their own models, and nobody else’s', async () => {
  const deletion = (id: string, parameters: Record<string, unknown>) =>
    job({ id, kind: 'delete', state: 'queued', model_id: null, finished_at: null, parameters })
  const jobs = [deletion('j_1', { owner: 'u_1' }), deletion('j_2', { owner: 'u_2' })]
  const requests = serve((request) => {
    if (request === 'GET /api/session') {
      return { json: { access: 'login', role: 'editor', name: 'Ann', user_id: 'u_1' } }
    }
    if (request.startsWith('GET /api/jobs?')) {
      return { json: { jobs: [...jobs, deletion('j_3', {})], total: 3, next_cursor: null } }
    }
    return request.startsWith('DELETE') ? { json: job() } : undefined
  })
  renderPage(<JobList />)
  await waitFor(() => expect(screen.getAllByRole('button', { name: /^Cancel/ })).toHaveLength(1))
  await userEvent.click(screen.getByRole('button', { name: /^Cancel/ }))
  expect(requests).toContain('DELETE /api/jobs/j_1')
})

test('state and kind are chosen in the address and asked of the server', async () => {
  const requests = lake([job(), job({ id: 'j_2', kind: 'recluster', state: 'failed' })])
  renderPage(<JobList />, '/jobs?state=failed')
  expect(await screen.findByText('Solve the whole lake again', { selector: 'span' })).toBeVisible()
  expect(screen.queryByText('Read a new model', { selector: 'span' })).toBeNull()
  await userEvent.selectOptions(screen.getByLabelText('Kind'), 'recluster')
  await waitFor(() =>
    expect(requests).toContain('GET /api/jobs?state=failed&kind=recluster&limit=50'),
  )
})

test('older jobs come on demand', async () => {
  lake(['j_1', 'j_2', 'j_3'].map((id) => job({ id })))
  renderPage(<JobList />)
  expect(await screen.findByText('2 of 3 jobs')).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }))
  expect(await screen.findByText('3 jobs')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull()
})

test('an import tells its folder, what came in and what could not be read', async () => {
  const result = {
    stored: 2,
    duplicates: 1,
    unreadable: 1,
    errors: [{ path: 'a/b.pt', type: 'invalid-weights', detail: 'It ends early.' }],
  }
  const parameters = { folder: '/srv/zoo' }
  lake([job({ kind: 'import', model_id: null, parameters, result })])
  renderPage(<JobList />)
  expect(await screen.findByText('2 models added, 1 already here, 1 unreadable.')).toBeVisible()
  expect(screen.getByText('/srv/zoo')).toBeInTheDocument()
  expect(screen.getByText('a/b.pt: It ends early.')).toBeInTheDocument()
})

test('without jobs it says what will appear', async () => {
  lake([])
  renderPage(<JobList />)
  expect(await screen.findByText('No jobs yet')).toBeInTheDocument()
})

test('a folder that may not be imported is refused in the dialog', async () => {
  const detail = 'The setting import_roots names no folder above /etc.'
  serve((request) =>
    request === 'POST /api/imports'
      ? { status: 403, json: { type: '/problems/import-not-allowed', title: 'No', detail } }
      : undefined,
  )
  renderPage(<AdminActions />)
  await userEvent.click(screen.getByRole('button', { name: 'Import a folder' }))
  await userEvent.type(screen.getByLabelText('Folder'), '/etc')
  await userEvent.click(screen.getByRole('button', { name: 'Import' }))
  expect(await screen.findByRole('alert')).toHaveTextContent(detail)
})

test('cleaning up and reclustering are asked for once more', async () => {
  const requests = serve(() => ({ status: 202, json: { job_id: 'j_9' } }))
  renderPage(<AdminActions />)
  await userEvent.click(screen.getByRole('button', { name: 'Clean up' }))
  expect(requests).toEqual([])
  await userEvent.click(await screen.findByRole('button', { name: 'Clean up' }))
  expect(requests).toContain('POST /api/maintenance/cleanup')
  await userEvent.click(await screen.findByRole('button', { name: 'Recluster' }))
  await userEvent.click(screen.getByRole('button', { name: 'Solve again' }))
  expect(requests).toContain('POST /api/clustering/recluster')
})

import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { model } from '@/testing/samples'
import type { Job } from '@/lib/types'

import { JobList } from './job-list'

const job = (changes: Partial<Job>): Job => ({
  id: 'j_1',
  kind: 'process',
  state: 'done',
  stage: 'done',
  progress: 1,
  model_id: 'm_child',
  family_id: null,
  error: null,
  result: null,
  created_at: '2026-11-20T10:00:00Z',
  started_at: '2026-11-20T10:00:00Z',
  finished_at: '2026-11-20T10:00:00.800Z',
  ...changes,
})

const lake = (jobs: Job[]) =>
  serve((request) => {
    if (request.startsWith('GET /api/models')) {
      return { json: { models: [model()], total: 1, next_cursor: null } }
    }
    if (request === 'GET /api/jobs') return { json: { jobs, total: jobs.length } }
    return request.startsWith('DELETE') ? { json: null } : undefined
  })

test('jobs tell what they did, to which model, and how it ended', async () => {
  lake([
    job({}),
    job({ id: 'j_2', state: 'failed', error: 'The file ends early.', model_id: 'm_x' }),
  ])
  renderPage(<JobList />)
  expect(await screen.findByRole('link', { name: 'child' })).toHaveAttribute(
    'href',
    '/models/m_child',
  )
  expect(screen.getByText('The file ends early.')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Model' })).toHaveAttribute('href', '/models/m_x')
})

test('only a queued job can be cancelled', async () => {
  const requests = lake([
    job({ state: 'queued', started_at: null, finished_at: null }),
    job({ id: 'j_2' }),
  ])
  renderPage(<JobList />)
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Cancel' }))
  expect(requests).toContain('DELETE /api/jobs/j_1')
})

test('the state is chosen in the address', async () => {
  lake([
    job({}),
    job({ id: 'j_2', kind: 'recluster', state: 'failed', error: 'No.', model_id: null }),
  ])
  renderPage(<JobList />, '/jobs?state=failed')
  expect(await screen.findByText('Solve the whole lake again')).toBeInTheDocument()
  expect(screen.queryByText('Read a new model')).toBeNull()
})

test('without jobs it says what will appear', async () => {
  lake([])
  renderPage(<JobList />)
  expect(await screen.findByText('No jobs yet')).toBeInTheDocument()
})

import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { routes } from '@/app/router'
import { renderRoutes, serve } from '@/testing/render'
import { family, model } from '@/testing/samples'
import type { Stats } from '@/lib/types'

const stats = (changes: Partial<Stats> = {}): Stats => ({
  total_models: 0,
  total_families: 0,
  total_parameters: 0,
  total_bytes: 0,
  total_edges: 0,
  resolved_edges: 0,
  processing: 0,
  errors: 0,
  relations: {},
  mean_confidence: null,
  largest_families: [],
  ...changes,
})

test('an empty lake explains the first steps beside an example that is labelled as one', async () => {
  serve((request) => (request === 'GET /api/stats' ? { json: stats() } : undefined))
  renderRoutes(routes, '/')
  expect(await screen.findByText('make demo')).toBeInTheDocument()
  expect(screen.getByText('Example')).toBeInTheDocument()
  expect(screen.queryByText('Latest arrivals')).toBeNull()
})

test('a lake with models shows its figures and its latest arrivals', async () => {
  serve((request) => {
    if (request === 'GET /api/stats') {
      return {
        json: stats({ total_models: 3, total_edges: 2, resolved_edges: 2, mean_confidence: 0.97 }),
      }
    }
    if (request === 'GET /api/models?sort=-created_at&limit=6') {
      return { json: { models: [model()], total: 3, next_cursor: null } }
    }
    return undefined
  })
  renderRoutes(routes, '/')
  expect(await screen.findByRole('link', { name: 'child' })).toBeInTheDocument()
  expect(screen.getByText('of 2 edges, 97% sure on average')).toBeInTheDocument()
})

test('an unknown address says so and leads on', async () => {
  serve(() => undefined)
  renderRoutes(routes, '/no-such-page')
  expect(await screen.findByText('There is no such page')).toBeInTheDocument()
  expect(document.title).toBe('Not found · Model Heritage')
})

test('every page is reached from the navigation bar', async () => {
  serve(() => undefined)
  const { router } = renderRoutes(routes, '/')
  const user = userEvent.setup()
  for (const [name, path] of [
    ['Models', '/models'],
    ['Families', '/families'],
    ['Compare', '/compare'],
    ['Statistics', '/statistics'],
    ['Jobs', '/jobs'],
    ['Settings', '/settings'],
    ['Add Model', '/add'],
  ] as const) {
    const [link] = screen.getAllByRole('link', { name })
    if (!link) throw new Error(`no link to ${name}`)
    await user.click(link)
    await waitFor(() => expect(router.state.location.pathname).toBe(path))
    expect(await screen.findByRole('heading', { level: 1, name })).toBeInTheDocument()
  }
})

test('reclustering asks first, then shows the job until it is done', async () => {
  let asked = 0
  const job = (state: string, progress: number) => ({
    id: 'j_1',
    kind: 'recluster',
    state,
    stage: 'Solving families',
    progress,
    model_id: null,
    family_id: null,
    error: null,
    result: null,
    created_at: '2026-11-20T10:00:00Z',
    started_at: null,
    finished_at: null,
  })
  serve((request) => {
    if (request === 'GET /api/stats') {
      return { json: stats({ total_models: 3, largest_families: [family()] }) }
    }
    if (request === 'POST /api/clustering/recluster') {
      return { status: 202, json: { job_id: 'j_1', status: 'queued' } }
    }
    if (request === 'GET /api/jobs/j_1') {
      asked += 1
      return { json: asked < 2 ? job('running', 0.4) : job('done', 1) }
    }
    return undefined
  })
  const { router } = renderRoutes(routes, '/statistics')
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Recluster' }))
  await user.click(await screen.findByRole('button', { name: 'Solve again' }))
  expect(await screen.findByText('40%')).toBeInTheDocument()
  expect(router.state.location.search).toBe('?job=j_1')
  expect(
    await screen.findByText(/every family has been solved again/, undefined, { timeout: 60_000 }),
  ).toBeInTheDocument()
})

test('the tour is shown once, and for good over when it was closed', async () => {
  serve(() => undefined)
  const first = renderRoutes(routes, '/')
  const user = userEvent.setup()
  const tour = await screen.findByRole('region', { name: 'Tour' })
  expect(tour).toHaveTextContent('1 of 4')
  await user.click(screen.getByRole('button', { name: 'Next' }))
  expect(tour).toHaveTextContent('2 of 4')
  await user.click(screen.getByRole('button', { name: 'Close the tour for good' }))
  expect(screen.queryByRole('region', { name: 'Tour' })).toBeNull()
  first.unmount()
  renderRoutes(routes, '/')
  await screen.findByRole('heading', { level: 1 })
  expect(screen.queryByRole('region', { name: 'Tour' })).toBeNull()
  await user.keyboard('?')
  await user.click(await screen.findByRole('button', { name: 'Show the tour' }))
  expect(await screen.findByRole('region', { name: 'Tour' })).toHaveTextContent('1 of 4')
})

test('keys lead to the pages and to the search, but never out of a field', async () => {
  serve(() => undefined)
  const { router } = renderRoutes(routes, '/')
  await screen.findByRole('heading', { level: 1 })
  const user = userEvent.setup()
  await user.keyboard('gs')
  await waitFor(() => expect(router.state.location.pathname).toBe('/statistics'))
  await user.keyboard('/')
  await waitFor(() => expect(router.state.location.pathname).toBe('/models'))
  const search = await screen.findByLabelText('Search models by name')
  await waitFor(() => expect(search).toHaveFocus())
  await user.keyboard('g?j')
  expect(search).toHaveValue('g?j')
  expect(router.state.location.pathname).toBe('/models')
})

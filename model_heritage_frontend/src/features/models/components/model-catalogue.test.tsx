import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { facets, family, model, rootModel } from '@/testing/samples'

import { ModelCatalogue } from './model-catalogue'

const families = { json: { families: [family()], total: 1 } }

test('cards show the parent, the relation and how sure that is', async () => {
  serve((request) =>
    request.startsWith('GET /api/families')
      ? families
      : { json: { ...facets(), models: [model(), rootModel()], total: 2, next_cursor: null } },
  )
  renderPage(<ModelCatalogue />)
  expect(await screen.findByRole('link', { name: 'child' })).toHaveAttribute(
    'href',
    '/models/m_child',
  )
  expect(screen.getByText('2 models')).toBeInTheDocument()
  expect(screen.getByText('97%')).toBeInTheDocument()
  expect(screen.getByText('Root of 3 models')).toBeInTheDocument()
})

test('the search is asked from the server and kept in the address', async () => {
  const requests = serve((request) =>
    request.startsWith('GET /api/families')
      ? families
      : request.includes('search=zebra')
        ? { json: { models: [], total: 0, next_cursor: null } }
        : { json: { models: [model()], total: 1, next_cursor: null } },
  )
  const { router } = renderPage(<ModelCatalogue />, '/models')
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('Search models by name'), 'zebra')
  expect(await screen.findByText('No model matches')).toBeInTheDocument()
  expect(router.state.location.search).toBe('?search=zebra')
  expect(requests.filter((request) => request.includes('search=z')).length).toBeLessThan(5)
  await user.click(screen.getByRole('button', { name: 'Clear search' }))
  await waitFor(() => expect(router.state.location.search).toBe(''))
})

test('filters come from the address', async () => {
  const requests = serve((request) =>
    request.startsWith('GET /api/families')
      ? families
      : { json: { models: [model()], total: 1, next_cursor: null } },
  )
  renderPage(<ModelCatalogue />, '/models?relation=merge&sort=-created_at')
  await screen.findByRole('link', { name: 'child' })
  expect(requests).toContain('GET /api/models?relation=merge&sort=-created_at&limit=48')
})

test('an empty lake invites the first upload', async () => {
  serve((request) =>
    request.startsWith('GET /api/families')
      ? { json: { families: [], total: 0 } }
      : { json: { models: [], total: 0, next_cursor: null } },
  )
  renderPage(<ModelCatalogue />)
  expect(await screen.findByRole('link', { name: 'Add the first model' })).toHaveAttribute(
    'href',
    '/add',
  )
})

test('an error is shown in the server’s words', async () => {
  serve(() => undefined)
  renderPage(<ModelCatalogue />)
  const alert = await screen.findByRole('alert')
  expect(alert).toHaveTextContent('There is nothing at /api/models')
  expect(alert).toHaveTextContent('Request r-1')
})

test('more pages are loaded on demand', async () => {
  serve((request) => {
    if (request.startsWith('GET /api/families')) return families
    const second = request.includes('cursor=next')
    const name = second ? 'second' : 'first'
    return {
      json: {
        models: [model({ id: name, name })],
        total: 2,
        next_cursor: second ? null : 'next',
      },
    }
  })
  renderPage(<ModelCatalogue />)
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Show more (1 model left)' }))
  expect(await screen.findByRole('link', { name: 'second' })).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'first' })).toBeInTheDocument()
})

test('markup in a name stays text', async () => {
  serve((request) =>
    request.startsWith('GET /api/families')
      ? families
      : {
          json: {
            models: [model({ name: '<img src=x onerror=alert(1)>' })],
            total: 1,
            next_cursor: null,
          },
        },
  )
  const { container } = renderPage(<ModelCatalogue />)
  expect(await screen.findByText('<img src=x onerror=alert(1)>')).toBeInTheDocument()
  expect(container.querySelector('img')).toBeNull()
})

const lake = (request: string) => {
  if (request.startsWith('GET /api/families')) return families
  if (request.startsWith('GET /api/models/facets')) return { json: facets() }
  return { json: { models: [model()], total: 1, next_cursor: null } }
}

test('the choices tell how many models they leave', async () => {
  const requests = serve(lake)
  renderPage(<ModelCatalogue />, '/models?relation=merge')
  expect(await screen.findByRole('option', { name: 'Fine-tune (3)' })).toBeInTheDocument()
  expect(screen.getByRole('option', { name: 'apache-2.0 (2)' })).toBeInTheDocument()
  expect(screen.getByRole('option', { name: 'Leaf (no children)' })).toBeInTheDocument()
  // A relation's own numbers are those without the relation that is chosen now.
  expect(requests).toContain('GET /api/models/facets')
  expect(requests).toContain('GET /api/models/facets?relation=merge')
})

test('each filter is a chip that can be taken away alone', async () => {
  serve(lake)
  const { router } = renderPage(
    <ModelCatalogue />,
    '/models?relation=leaf&tag=vision&tag=small&parameters_min=7000000000&conflict=true',
  )
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Remove filter: #vision' }))
  await user.click(screen.getByRole('button', { name: 'Remove filter: Leaf' }))
  await user.click(screen.getByRole('button', { name: 'Remove filter: ≥ 7B parameters' }))
  expect(router.state.location.search).toBe('?tag=small&conflict=true')
  await user.click(screen.getByRole('button', { name: 'Clear filters' }))
  expect(router.state.location.search).toBe('')
})

test('licence, tags, range and order go to the address and to the server', async () => {
  const requests = serve(lake)
  const { router } = renderPage(<ModelCatalogue />, '/models')
  const user = userEvent.setup()
  await screen.findByRole('option', { name: 'vision (2)' })
  await user.selectOptions(screen.getByLabelText('Licence'), 'apache-2.0')
  await user.selectOptions(screen.getByLabelText('Tag'), 'vision')
  await user.type(screen.getByLabelText('Parameters, at most'), '1.5M{Enter}')
  await user.selectOptions(screen.getByLabelText('Sort by'), '-confidence')
  expect(router.state.location.search).toBe(
    '?licence=apache-2.0&tag=vision&parameters_max=1500000&sort=-confidence',
  )
  await waitFor(() =>
    expect(requests).toContain(
      'GET /api/models?licence=apache-2.0&tag=vision&parameters_max=1500000&sort=-confidence&limit=48',
    ),
  )
})

test('what is no number is marked and not asked for', async () => {
  serve(lake)
  const { router } = renderPage(<ModelCatalogue />, '/models')
  const user = userEvent.setup()
  const field = await screen.findByLabelText('Parameters, at least')
  await user.type(field, 'many{Enter}')
  expect(field).toHaveAttribute('aria-invalid', 'true')
  expect(router.state.location.search).toBe('')
})

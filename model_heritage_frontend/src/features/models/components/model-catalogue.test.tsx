import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { detail, facets, family, model, rootModel } from '@/testing/samples'

import { ModelCatalogue } from './model-catalogue'

const families = { json: { families: [family()], total: 1 } }

const lake = (request: string) => {
  if (request.startsWith('GET /api/families')) return families
  if (request.startsWith('GET /api/models/facets')) return { json: facets() }
  return { json: { models: [model()], total: 1, next_cursor: null } }
}

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
  expect(requests).toContain('GET /api/models?relation=merge&sort=-created_at&limit=96')
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

const page = (names: string[], total: number, next: string | null) => ({
  json: { models: names.map((name) => model({ id: name, name })), total, next_cursor: next },
})

test('the next page is loaded when the end of the list comes near', async () => {
  serve((request) => {
    if (request.startsWith('GET /api/families')) return families
    return request.includes('cursor=next') ? page(['second'], 2, null) : page(['first'], 2, 'next')
  })
  renderPage(<ModelCatalogue />)
  expect(await screen.findByRole('link', { name: 'second' })).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'first' })).toBeInTheDocument()
})

test('of a long list only what is near the window is drawn', async () => {
  const names = Array.from({ length: 96 }, (_, index) => `model-${index}`)
  const requests = serve((request) =>
    request.startsWith('GET /api/families') ? families : page(names, 10_000, 'next'),
  )
  renderPage(<ModelCatalogue />, '/models?view=table')
  const table = await screen.findByRole('table', { name: 'Models' })
  expect(table).toHaveAttribute('aria-rowcount', '10001')
  expect(within(table).getByRole('link', { name: 'model-0' })).toBeInTheDocument()
  expect(within(table).getAllByRole('row').length).toBeLessThan(60)
  expect(requests.some((request) => request.includes('cursor='))).toBe(false)
})

test('a click on a column sorts by it, and again the other way', async () => {
  serve(lake)
  const { router } = renderPage(<ModelCatalogue />, '/models?view=table')
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Parameters' }))
  expect(router.state.location.search).toBe('?view=table&sort=-total_parameters')
  await user.click(screen.getByRole('button', { name: 'Parameters' }))
  expect(router.state.location.search).toBe('?view=table&sort=total_parameters')
})

test('days go to the address as days and to the server as moments of the reader', async () => {
  const requests = serve(lake)
  renderPage(<ModelCatalogue />, '/models?created_after=2026-11-20&created_before=soon')
  await screen.findByRole('button', { name: 'Remove filter: Added from Nov 20, 2026' })
  const start = new Date('2026-11-20T00:00:00').toISOString()
  expect(requests).toContain(
    `GET /api/models?created_after=${encodeURIComponent(start)}&sort=name&limit=96`,
  )
})

test('two models that are marked can be compared, tagged together and deleted together', async () => {
  const sent: string[] = []
  serve((request, body) => {
    if (!request.startsWith('GET')) sent.push(`${request} ${body}`.trim())
    if (request.startsWith('GET /api/families')) return families
    if (/GET \/api\/models\/[ab]$/.test(request)) {
      return { json: detail({ lineage: { parent: null, other_parents: [], children: [] } }) }
    }
    return request.startsWith('GET') ? page(['a', 'b'], 2, null) : { json: model() }
  })
  renderPage(<ModelCatalogue />)
  const user = userEvent.setup()
  await user.click(await screen.findByLabelText('Select a'))
  expect(screen.getByRole('button', { name: 'Compare' })).toBeDisabled()
  await user.click(screen.getByLabelText('Select b'))
  expect(screen.getByRole('link', { name: 'Compare' })).toHaveAttribute('href', '/compare?a=a&b=b')
  await user.click(screen.getByRole('button', { name: 'Tag' }))
  await user.type(screen.getByLabelText('Tags, separated by commas'), 'new, , good')
  await user.click(screen.getByRole('button', { name: 'Add tags' }))
  await waitFor(() => expect(sent).toHaveLength(2))
  expect(sent[0]).toBe('PATCH /api/models/a {"tags":["new","good"]}')
  await user.click(await screen.findByLabelText('Select a'))
  await user.click(screen.getByLabelText('Select b'))
  await user.click(screen.getByRole('button', { name: 'Delete' }))
  expect(
    await screen.findByText('No other model names one of them as its parent.'),
  ).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Delete 2 models' }))
  await waitFor(() =>
    expect(sent.slice(2)).toEqual(['DELETE /api/models/a', 'DELETE /api/models/b']),
  )
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
      'GET /api/models?licence=apache-2.0&tag=vision&parameters_max=1500000&sort=-confidence&limit=96',
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

import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { ModelPage } from '@/app/pages/model'
import { renderRoutes, serve } from '@/testing/render'
import { detail, evidence, model, rootModel, tree } from '@/testing/samples'

const show = () =>
  renderRoutes(
    [
      { path: '/models/:id', element: <ModelPage /> },
      { path: '/models', element: <p>The catalogue</p> },
    ],
    '/models/m_child',
  )

test('the origin comes first, with its evidence, its runner-up and the specification', async () => {
  const parent = detail().lineage.parent
  if (!parent) throw new Error('the sample has a parent')
  serve((request) => {
    if (request === 'GET /api/models/m_child') {
      const why = evidence({ runner_up: 'm_other', margin: 0.4 })
      return {
        json: detail({
          quality: ['3 rows are zero.'],
          lineage: {
            parent: {
              ...parent,
              evidence: why,
              runner_up: { id: 'm_other', name: 'other', confidence: 0.57 },
            },
            other_parents: [],
            children: [],
          },
        }),
      }
    }
    if (request === 'GET /api/families/f_1/tree') {
      return {
        json: tree({
          nodes: [rootModel(), model()],
          edges: [],
        }),
      }
    }
    return undefined
  })
  show()
  expect(await screen.findByRole('heading', { level: 1, name: 'child' })).toBeInTheDocument()
  expect(screen.getByText(/97% sure/)).toBeInTheDocument()
  for (const link of screen.getAllByRole('link', { name: 'other' })) {
    expect(link).toHaveAttribute('href', '/models/m_other')
  }
  expect(screen.getByText(/runner-up/)).toBeInTheDocument()
  expect(screen.getByText('38 of 40 shared tensors differ.')).toBeInTheDocument()
  expect(screen.getByText(/40% behind/)).toBeInTheDocument()
  expect(screen.getByText('33,802')).toBeInTheDocument()
  expect(screen.getByText('3 rows are zero.')).toBeInTheDocument()
  expect(document.title).toBe('child · Model Heritage')
})

test('what changed is told by layer, with the most changed as the measure', async () => {
  serve((request) => {
    if (request === 'GET /api/models/m_child') return { json: detail() }
    if (request === 'GET /api/models/m_base/compare/m_child') {
      return {
        json: {
          summary: '2 of 9 shared tensors differ.',
          layers: [
            { layer: 0, tensors: 4, changed: 0, relative_change: 0 },
            { layer: 1, tensors: 4, changed: 2, relative_change: 0.25 },
            { layer: null, tensors: 1, changed: 0, relative_change: null },
          ],
          kinds: [{ kind: 'attention', tensors: 9, changed: 2, relative_change: 0.2 }],
          tensors: [],
        },
      }
    }
    return undefined
  })
  show()
  expect(await screen.findByText('2 of 9 shared tensors differ.')).toBeInTheDocument()
  expect(screen.getByText('Layer 1: 2 of 4 tensors changed, 25.00%')).toBeInTheDocument()
  expect(screen.getByText(/full colour is 25\.00%/)).toBeInTheDocument()
})

test('an unknown model is told apart from a broken server', async () => {
  serve(() => undefined)
  show()
  expect(await screen.findByRole('alert')).toHaveTextContent('Not found')
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
})

test('deleting tells the consequences first, then returns to the catalogue', async () => {
  const { parent } = detail().lineage
  const children = parent ? [{ ...parent, id: 'm_grandchild', name: 'grandchild' }] : []
  const requests = serve((request) => {
    if (request.startsWith('DELETE')) return { json: null }
    return request === 'GET /api/models/m_child'
      ? { json: detail({ lineage: { parent, other_parents: [], children } }) }
      : undefined
  })
  show()
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Delete' }))
  expect(requests.some((request) => request.startsWith('DELETE'))).toBe(false)
  const dialog = await screen.findByRole('alertdialog')
  expect(await within(dialog).findByText('One model loses its parent:')).toBeInTheDocument()
  expect(within(dialog).getByText('grandchild')).toBeInTheDocument()
  await user.click(await screen.findByRole('button', { name: 'Delete model' }))
  expect(await screen.findByText('The catalogue')).toBeInTheDocument()
  expect(requests).toContain('DELETE /api/models/m_child')
})

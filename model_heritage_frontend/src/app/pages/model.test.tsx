import { screen } from '@testing-library/react'
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
  expect(screen.getByRole('link', { name: 'other' })).toHaveAttribute('href', '/models/m_other')
  expect(screen.getByText('38 of 40 shared tensors differ.')).toBeInTheDocument()
  expect(screen.getByText(/40% behind/)).toBeInTheDocument()
  expect(screen.getByText('33,802')).toBeInTheDocument()
  expect(screen.getByText('3 rows are zero.')).toBeInTheDocument()
  expect(document.title).toBe('child · Model Heritage')
})

test('an unknown model is told apart from a broken server', async () => {
  serve(() => undefined)
  show()
  expect(await screen.findByRole('alert')).toHaveTextContent('Not found')
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
})

test('deleting asks first, then returns to the catalogue', async () => {
  const requests = serve((request) => {
    if (request.startsWith('DELETE')) return { json: null }
    return request === 'GET /api/models/m_child' ? { json: detail({ family_size: 1 }) } : undefined
  })
  show()
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Delete' }))
  expect(requests.some((request) => request.startsWith('DELETE'))).toBe(false)
  await user.click(await screen.findByRole('button', { name: 'Delete model' }))
  expect(await screen.findByText('The catalogue')).toBeInTheDocument()
  expect(requests).toContain('DELETE /api/models/m_child')
})

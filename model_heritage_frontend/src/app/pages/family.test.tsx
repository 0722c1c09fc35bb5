import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { FamilyPage } from '@/app/pages/family'
import { renderRoutes, serve } from '@/testing/render'
import { corrected, edge, evidence, family, tree } from '@/testing/samples'

const show = (at: string) => {
  serve((request) => {
    if (request === 'GET /api/families/f_1') return { json: family({ size: 5, depth: 2 }) }
    return request === 'GET /api/families/f_1/tree' ? { json: tree() } : undefined
  })
  return renderRoutes([{ path: '/families/:id', element: <FamilyPage /> }], at)
}

test('the chosen model and the view are part of the address', async () => {
  const { router } = show('/families/f_1?model=left-lora')
  expect(await screen.findByRole('region', { name: 'About left-lora' })).toBeInTheDocument()
  const user = userEvent.setup()
  await user.click(screen.getByRole('radio', { name: 'List' }))
  expect(router.state.location.search).toBe('?model=left-lora&view=list')
  expect(screen.getByRole('link', { name: 'mixed' })).toHaveAttribute('href', '/models/mixed')
})

test('the arrow keys walk the tree', async () => {
  const { router } = show('/families/f_1?model=left-lora')
  const canvas = await screen.findByRole('application', { name: 'Tree of Family of base' })
  const user = userEvent.setup()
  canvas.focus()
  await user.keyboard('{ArrowLeft}')
  expect(router.state.location.search).toBe('?model=left')
  expect(await screen.findByRole('region', { name: 'About left' })).toBeInTheDocument()
  await user.keyboard('{Escape}')
  expect(router.state.location.search).toBe('')
})

test('a member is found by name', async () => {
  const { router } = show('/families/f_1')
  const user = userEvent.setup()
  await user.click(await screen.findByRole('button', { name: 'Find in this family' }))
  await user.type(screen.getByPlaceholderText('Name'), 'mix')
  await user.click(await screen.findByRole('option', { name: 'mixed' }))
  expect(router.state.location.search).toBe('?model=mixed')
})

test('a correction in the panel shows the tree of the answer, with the mark of who said so', async () => {
  const stated = edge('base', 'left', 'finetune', { evidence: evidence({ stated_by: 'Ann' }) })
  const solved = tree({ edges: [stated, ...tree().edges.slice(1)] })
  let done = false
  serve((request) => {
    if (request.startsWith('PUT /api/models/left/constraints')) {
      done = true
      return { status: 201, json: corrected({ families: [family()], tree: solved }) }
    }
    if (request === 'GET /api/families/f_1') return { json: family({ size: 5, depth: 2 }) }
    if (request.endsWith('/constraints')) return { json: { constraints: [] } }
    return request.endsWith('/tree') ? { json: done ? solved : tree() } : undefined
  })
  renderRoutes([{ path: '/families/:id', element: <FamilyPage /> }], '/families/f_1?model=left')
  const panel = await screen.findByRole('region', { name: 'About left' })
  const user = userEvent.setup()
  await user.click(within(panel).getByRole('button', { name: 'Confirm' }))
  await user.clear(within(panel).getByLabelText('Your name'))
  await user.type(within(panel).getByLabelText('Your name'), 'Ann{Enter}')
  expect(await within(panel).findByText('Stated by Ann')).toBeInTheDocument()
  await waitFor(() => expect(screen.getByText('Stated by people')).toBeInTheDocument())
})

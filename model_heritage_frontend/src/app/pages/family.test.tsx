import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { FamilyPage } from '@/app/pages/family'
import { renderRoutes, serve } from '@/testing/render'
import { family, tree } from '@/testing/samples'

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

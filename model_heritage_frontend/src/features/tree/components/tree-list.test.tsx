import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'

import { renderPage } from '@/testing/render'
import { tree } from '@/testing/samples'

import { layoutTree } from '../layout'
import { TreeList } from './tree-list'

test('the list nests children below their parents and names further merge parents', () => {
  renderPage(<TreeList layout={layoutTree(tree())} selected="mixed" />)
  const base = screen.getByRole('link', { name: 'base' }).closest('li')
  if (!base) throw new Error('base is not in a list')
  expect(within(base).getAllByRole('link')).toHaveLength(5)
  const left = screen.getByRole('link', { name: 'left' }).closest('li')
  if (!left) throw new Error('left is not in a list')
  expect(within(left).getByRole('link', { name: 'left-lora' })).toBeInTheDocument()
  expect(within(left).queryByRole('link', { name: 'mixed' })).toBeNull()
  expect(screen.getByText('also from left')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'mixed' })).toHaveAttribute('aria-current', 'true')
})

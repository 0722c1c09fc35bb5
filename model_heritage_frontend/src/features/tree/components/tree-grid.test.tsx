import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, test } from 'vitest'

import { renderPage } from '@/testing/render'
import { tree } from '@/testing/samples'

import { buildGenealogy } from '../genealogy'
import { TreeGrid } from './tree-grid'

const genealogy = buildGenealogy(tree())

function Grid() {
  const [selected, select] = useState<string | null>('mixed')
  return <TreeGrid genealogy={genealogy} selected={selected} onSelect={select} label="Family" />
}

const row = (name: string) => screen.getByRole('row', { name: new RegExp(`^${name}(?![\\w-])`) })

test('each member is a row at its level, with further parents of merges', () => {
  renderPage(<Grid />)
  const grid = screen.getByRole('treegrid', { name: 'Family' })
  expect(within(grid).getAllByRole('row')).toHaveLength(6)
  expect(row('base')).toHaveAttribute('aria-level', '1')
  expect(row('left-lora')).toHaveAttribute('aria-level', '3')
  expect(within(row('mixed')).getByText('also from left')).toBeInTheDocument()
  expect(row('mixed')).toHaveAttribute('aria-selected', 'true')
})

test('the arrow keys walk the rows, open and close them, and Space chooses', async () => {
  const user = userEvent.setup()
  renderPage(<Grid />)
  row('mixed').focus()
  await user.keyboard('{ArrowLeft}')
  expect(row('right')).toHaveFocus()
  await user.keyboard('{Home}')
  expect(row('base')).toHaveFocus()
  await user.keyboard('{ArrowDown}{ArrowLeft}')
  expect(row('left')).toHaveAttribute('aria-expanded', 'false')
  expect(screen.queryByRole('row', { name: /^left-lora/ })).toBeNull()
  await user.keyboard('{ArrowRight}{ArrowRight}')
  expect(row('left-lora')).toHaveFocus()
  await user.keyboard(' ')
  expect(row('left-lora')).toHaveAttribute('aria-selected', 'true')
})

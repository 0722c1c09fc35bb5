import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { family } from '@/testing/samples'

import { FamilyGrid } from './family-grid'

const families = [
  family({ unresolved_count: 2 }),
  family({ id: 'f_2', name: 'Family of lone', root_name: 'lone', size: 1, mean_confidence: null }),
]

test('the order and the table are part of the address, and a column sorts on the server', async () => {
  const requests = serve(() => ({ json: { families, total: 2, next_cursor: null } }))
  const { router } = renderPage(<FamilyGrid picture={() => null} />)
  const user = userEvent.setup()
  expect(await screen.findByText('2 unresolved')).toBeInTheDocument()
  expect(screen.getByText('On their own')).toBeInTheDocument()
  await user.click(screen.getByRole('radio', { name: 'Table' }))
  await user.click(screen.getByRole('button', { name: 'Unresolved' }))
  expect(router.state.location.search).toBe('?view=table&sort=-unresolved')
  expect(requests.at(-1)).toBe('GET /api/families?sort=-unresolved')
  expect(screen.getByRole('columnheader', { name: 'Unresolved' })).toHaveAttribute(
    'aria-sort',
    'descending',
  )
  expect(within(screen.getByRole('table')).getAllByRole('row')).toHaveLength(3)
})

test('an empty lake is told from a search that finds nothing', async () => {
  serve(() => ({ json: { families: [], total: 0, next_cursor: null } }))
  const { unmount } = renderPage(<FamilyGrid picture={() => null} />)
  expect(await screen.findByText('No families yet')).toBeInTheDocument()
  unmount()
  renderPage(<FamilyGrid picture={() => null} />, '/?search=nothing')
  expect(await screen.findByText('No family matches')).toBeInTheDocument()
})

import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { useQueryParam } from '@/hooks/use-query-param'
import { renderPage } from '@/testing/render'

function Twice() {
  const [, setSearch] = useQueryParam('search')
  const [, setView] = useQueryParam('view', 'cards')
  return (
    <button
      type="button"
      onClick={() => {
        setSearch('noisy')
        setTimeout(() => setView('table'))
      }}
    >
      Both
    </button>
  )
}

test('of two changes before the next drawing none is lost', async () => {
  const { router } = renderPage(<Twice />, '/?page=2')
  // React is kept from drawing in between, as a busy machine would.
  await userEvent.setup().click(screen.getByRole('button'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(router.state.location.search).toBe('?page=2&search=noisy&view=table')
})

import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Toaster } from 'sonner'
import { useState } from 'react'
import { beforeEach, expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { corrected, model } from '@/testing/samples'

import { DropCorrection, type Dropped } from './drop-correction'

beforeEach(() => localStorage.clear())

function Page() {
  const [dropped, setDropped] = useState<Dropped | null>({
    child: model(),
    parent: model({ id: 'm_aunt', name: 'aunt' }),
  })
  return (
    <>
      <DropCorrection
        dropped={dropped}
        familyId="f_1"
        onClose={() => setDropped(null)}
        onSolved={() => undefined}
      />
      <Toaster />
    </>
  )
}

test('a drop asks who says so, states it, and can be undone from the message', async () => {
  const requests = serve((request) =>
    /^(PUT|DELETE)/.test(request) ? { status: 201, json: corrected() } : undefined,
  )
  renderPage(<Page />)
  const user = userEvent.setup()
  expect(screen.getByRole('dialog')).toHaveTextContent('aunt is the parent of child?')
  expect(screen.getByRole('dialog')).toHaveTextContent('base, 97% sure')
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  await user.click(screen.getByRole('button', { name: 'Confirm' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(requests).toContain('PUT /api/models/m_child/constraints')
  await user.click(await screen.findByText('Undo'))
  await waitFor(() => expect(requests).toContain('DELETE /api/constraints/c_1?author=Ann'))
})

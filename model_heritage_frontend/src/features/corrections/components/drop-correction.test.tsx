import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Toaster } from 'sonner'
import { beforeEach, expect, test, vi } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { corrected, model } from '@/testing/samples'

import { DropCorrection } from './drop-correction'

beforeEach(() => localStorage.clear())

test('a drop asks who says so, states it, and can be undone from the message', async () => {
  const requests = serve((request) =>
    /^(PUT|DELETE)/.test(request) ? { status: 201, json: corrected() } : undefined,
  )
  const onClose = vi.fn()
  renderPage(
    <>
      <DropCorrection
        dropped={{ child: model(), parent: model({ id: 'm_aunt', name: 'aunt' }) }}
        familyId="f_1"
        onClose={onClose}
        onSolved={() => undefined}
      />
      <Toaster />
    </>,
  )
  const user = userEvent.setup()
  expect(screen.getByRole('dialog')).toHaveTextContent('aunt is the parent of child?')
  expect(screen.getByRole('dialog')).toHaveTextContent('base, 97% sure')
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  await user.click(screen.getByRole('button', { name: 'Confirm' }))
  await waitFor(() => expect(onClose).toHaveBeenCalled())
  expect(requests).toContain('PUT /api/models/m_child/constraints')
  await user.click(await screen.findByText('Undo'))
  await waitFor(() => expect(requests).toContain('DELETE /api/constraints/c_1?author=Ann'))
})

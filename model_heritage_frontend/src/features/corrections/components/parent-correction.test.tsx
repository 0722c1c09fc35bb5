import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test } from 'vitest'

import { renderPage, serve, type Answer } from '@/testing/render'
import { constraint, corrected, model } from '@/testing/samples'

import { ParentCorrection } from './parent-correction'

beforeEach(() => localStorage.clear())

interface World {
  stated?: ReturnType<typeof constraint>[]
  put?: Answer
}

/** Answers as the server would, and keeps what was sent. */
function serveWorld({ stated = [], put = { json: corrected() } }: World = {}) {
  const bodies: unknown[] = []
  const requests = serve((request, body) => {
    if (request === 'GET /api/models/m_child/constraints') return { json: { constraints: stated } }
    if (request.startsWith('PUT')) {
      bodies.push(JSON.parse(body))
      return put
    }
    if (request.startsWith('DELETE')) return { json: corrected() }
    if (request.startsWith('GET /api/models?')) {
      const members = [model(), model({ id: 'm_aunt', name: 'aunt' })]
      const stranger = model({ id: 'm_far', name: 'stranger', family_id: 'f_2' })
      return {
        json: {
          models: request.includes('family=f_1') ? members : [...members, stranger],
          total: 3,
          next_cursor: null,
        },
      }
    }
    return undefined
  })
  return { bodies, requests }
}

const show = (parents = [{ id: 'm_base', name: 'base' }], statedBy: string | null = null) =>
  renderPage(
    <ParentCorrection
      model={{ id: 'm_child', name: 'child' }}
      parents={parents}
      statedBy={statedBy}
      familyId="f_1"
    />,
  )

test('a parent is confirmed by somebody, whose name is remembered', async () => {
  const { bodies } = serveWorld()
  show()
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Confirm' }))
  const form = screen.getByRole('form', { name: 'Confirm' })
  expect(form).toHaveTextContent('You state that base is the parent of child.')
  const submit = within(form).getByRole('button', { name: 'Confirm' })
  expect(submit).toBeDisabled()
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  await user.type(screen.getByLabelText(/How do you know/), 'I trained it.')
  await user.click(submit)
  await waitFor(() => expect(screen.queryByRole('form')).toBeNull())
  expect(bodies).toEqual([
    { kind: 'confirm', parent: 'm_base', author: 'Ann', reason: 'I trained it.' },
  ])
  await user.click(screen.getByRole('button', { name: 'Pin as root' }))
  expect(screen.getByLabelText('Your name')).toHaveValue('Ann')
})

test('another parent is chosen among the family first, then everywhere', async () => {
  const { bodies } = serveWorld()
  show()
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Choose another parent' }))
  const family = await screen.findByRole('group', { name: 'In its family' })
  expect(
    within(family)
      .getAllByRole('option')
      .map((option) => option.textContent),
  ).toEqual(['aunt'])
  const elsewhere = screen.getByRole('group', { name: 'Elsewhere' })
  await user.click(within(elsewhere).getByRole('option', { name: 'stranger' }))
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  await user.click(screen.getByRole('button', { name: 'Set as parent' }))
  await waitFor(() =>
    expect(bodies).toEqual([{ kind: 'confirm', parent: 'm_far', author: 'Ann', reason: '' }]),
  )
})

test('of several parents one is ruled out', async () => {
  const { bodies } = serveWorld()
  show([
    { id: 'm_base', name: 'base' },
    { id: 'm_other', name: 'other' },
  ])
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Not its parent' }))
  await user.selectOptions(screen.getByLabelText('Which parent'), 'm_other')
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  await user.click(screen.getByRole('button', { name: 'Rule it out' }))
  await waitFor(() => expect(bodies).toMatchObject([{ kind: 'forbid', parent: 'm_other' }]))
})

test('a root is pinned without naming a parent', async () => {
  const { bodies } = serveWorld()
  show([])
  const user = userEvent.setup()
  expect(screen.queryByRole('button', { name: 'Confirm' })).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Pin as root' }))
  await user.type(screen.getByLabelText('Your name'), 'Ann')
  const form = screen.getByRole('form', { name: 'Pin as root' })
  await user.click(within(form).getByRole('button', { name: 'Pin as root' }))
  await waitFor(() => expect(bodies).toEqual([{ kind: 'root', author: 'Ann', reason: '' }]))
})

test('a contradiction is told in the server’s words, and the form stays', async () => {
  serveWorld({
    put: {
      status: 409,
      json: {
        type: '/problems/conflict',
        title: 'Conflict',
        status: 409,
        detail: 'Ben states that base is not its parent.',
      },
    },
  })
  show()
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Confirm' }))
  await user.type(screen.getByLabelText('Your name'), 'Ann{Enter}')
  expect(await screen.findByRole('alert')).toHaveTextContent('Ben states that')
  expect(screen.getByLabelText('Your name')).toHaveValue('Ann')
})

test('what was stated is listed with author and reason, and can be taken back', async () => {
  localStorage.setItem('model-heritage.author', 'Eve')
  const { requests } = serveWorld({ stated: [constraint()] })
  show(undefined, 'Ann')
  expect(await screen.findByText('base is the parent of child.')).toBeInTheDocument()
  expect(screen.getByText(/I trained it/)).toHaveTextContent('Ann,')
  expect(screen.queryByRole('button', { name: 'Confirm' })).toBeNull()
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: /Take back/ }))
  await waitFor(() => expect(requests).toContain('DELETE /api/constraints/c_1?author=Eve'))
})

test('statements that cannot be loaded leave the questions usable', async () => {
  serve(() => undefined)
  show()
  expect(await screen.findByRole('alert')).toHaveTextContent('Not found')
  expect(screen.getByRole('button', { name: 'Confirm' })).toBeEnabled()
})

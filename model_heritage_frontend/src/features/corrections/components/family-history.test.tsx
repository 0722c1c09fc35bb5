import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { constraint, corrected, edge, family, revision, tree } from '@/testing/samples'

import { FamilyHistory } from './family-history'
import { NameFamilyDialog } from './name-family-dialog'
import { SplitFamilyDialog } from './split-family-dialog'

const stated = revision({
  number: 3,
  cause: 'correction',
  summary: 'Changed when Ann confirmed base as the parent of child.',
  statement: { id: 'c_1' },
  author: 'Ann',
  reason: 'I trained it.',
})

const diff = {
  family_id: 'f_1',
  members: [{ id: 'm', name: 'm', change: 'came', revision: 3, why: 'm joined the family.' }],
  edges: [
    {
      child: { id: 'x', name: 'x' },
      change: 'moved',
      revision: 3,
      why: 'x moved.',
      after: edge('a', 'x'),
    },
    { child: { id: 'y', name: 'y' }, change: 'changed', revision: 3, why: 'y changed to 0.98.' },
  ],
}

function serveHistory(inForce = true) {
  return serve((request) => {
    if (request.startsWith('GET /api/families/f_1/revisions?')) {
      return {
        json: {
          family_id: 'f_1',
          revisions: [stated, revision({ number: 1 })],
          total: 2,
          next_cursor: null,
        },
      }
    }
    if (request === 'GET /api/families/f_1/constraints') {
      return { json: { constraints: inForce ? [constraint()] : [] } }
    }
    if (request === 'GET /api/families/f_1/revisions/2/diff/3') return { json: diff }
    return request.startsWith('DELETE') ? { json: corrected() } : undefined
  })
}

test('a revision opens to its sentences, and is part of the address', async () => {
  serveHistory()
  const { router } = renderPage(<FamilyHistory familyId="f_1" onSolved={vi.fn()} />)
  const row = await screen.findByRole('button', { name: /^Changed when Ann confirmed/ })
  expect(row).toHaveTextContent('“I trained it.”')
  const user = userEvent.setup()
  await user.click(row)
  expect(router.state.location.search).toBe('?revision=3')
  expect(await screen.findByText('x moved.')).toBeInTheDocument()
  expect(screen.getByText('m joined the family.')).toBeInTheDocument()
  expect(screen.getByText('y changed to 0.98.').closest('details')).not.toHaveAttribute('open')
  await user.click(screen.getByRole('button', { name: /^Changed when base/ }))
  expect(screen.getByText('The family began with this.')).toBeInTheDocument()
})

test('what was stated is undone from the history', async () => {
  const requests = serveHistory()
  const onSolved = vi.fn()
  renderPage(<FamilyHistory familyId="f_1" onSolved={onSolved} />)
  await userEvent.setup().click(await screen.findByRole('button', { name: /^Take back/ }))
  await waitFor(() => expect(onSolved).toHaveBeenCalled())
  expect(requests.some((request) => request.startsWith('DELETE /api/constraints/c_1'))).toBe(true)
})

test('what is no longer in force cannot be undone', async () => {
  serveHistory(false)
  renderPage(<FamilyHistory familyId="f_1" onSolved={vi.fn()} />)
  await screen.findByRole('button', { name: /^Changed when Ann confirmed/ })
  expect(screen.queryByRole('button', { name: /^Take back/ })).toBeNull()
})

test('a history that cannot be loaded is told', async () => {
  serve(() => undefined)
  renderPage(<FamilyHistory familyId="f_1" onSolved={vi.fn()} />)
  expect(await screen.findByRole('alert')).toHaveTextContent('Not found')
})

test('chosen members are split off', async () => {
  const bodies: unknown[] = []
  serve((request, body) => {
    if (request === 'GET /api/families/f_1/tree') return { json: tree() }
    if (request !== 'POST /api/families/f_1/split') return undefined
    bodies.push(JSON.parse(body))
    return { status: 201, json: corrected() }
  })
  const onSolved = vi.fn()
  renderPage(<SplitFamilyDialog familyId="f_1" onSolved={onSolved} />)
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Split' }))
  const dialog = await screen.findByRole('dialog')
  await user.type(await within(dialog).findByLabelText('Search the members'), 'left')
  expect(within(dialog).getAllByRole('checkbox')).toHaveLength(2)
  await user.click(within(dialog).getByRole('checkbox', { name: 'left' }))
  await user.click(within(dialog).getByRole('checkbox', { name: 'left-lora' }))
  expect(dialog).toHaveTextContent('2 of 5 models chosen')
  await user.clear(within(dialog).getByLabelText('Your name'))
  await user.type(within(dialog).getByLabelText('Your name'), 'Ann')
  await user.click(within(dialog).getByRole('button', { name: 'Split off 2 models' }))
  await waitFor(() => expect(onSolved).toHaveBeenCalled())
  expect(bodies).toEqual([{ models: ['left', 'left-lora'], author: 'Ann', reason: '' }])
})

test('a family is named, and called after its root again', async () => {
  const bodies: unknown[] = []
  serve((request, body) => {
    if (request !== 'PATCH /api/families/f_1') return undefined
    bodies.push(JSON.parse(body))
    return { json: family({ name: 'Digits', given_name: 'Digits' }) }
  })
  localStorage.clear()
  renderPage(<NameFamilyDialog family={family({ given_name: 'Old' })} />)
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Name' }))
  await user.clear(screen.getByLabelText('Name'))
  await user.type(screen.getByLabelText('Name'), 'Digits{Enter}')
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  await user.click(screen.getByRole('button', { name: 'Name' }))
  await user.click(screen.getByRole('button', { name: 'Call it after its root' }))
  await waitFor(() => expect(bodies).toEqual([{ name: 'Digits' }, { name: null }]))
})

import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { declared, detail, model } from '@/testing/samples'

import { EditModelDialog } from './edit-model-dialog'
import { ModelClaims } from './model-claims'

const said = declared({
  licence: 'mit',
  tags: ['vision', 'small'],
  base_model: 'org/other',
  base_model_id: 'm_other',
  source: { licence: 'person', tags: 'file', base_model: 'file' },
})

test('what is said lies beside what the weights say, with who says it', () => {
  const detailed = detail({
    declared: said,
    conflicts: [{ kind: 'base_model', detail: 'It is said to come from other, but …' }],
  })
  renderPage(<ModelClaims model={detailed} />)
  expect(screen.getByText('It is said to come from other, but …')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'org/other' })).toHaveAttribute('href', '/models/m_other')
  expect(screen.getByRole('link', { name: 'base' })).toBeInTheDocument()
  expect(screen.getByText('said by a person')).toBeInTheDocument()
  expect(screen.getAllByText('found in its files')).toHaveLength(2)
  expect(screen.getByText('Nothing is said')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'vision' })).toHaveAttribute('href', '/models?tag=vision')
})

test('a model of which nothing is said has no table', () => {
  renderPage(<ModelClaims model={detail()} />)
  expect(screen.getByText(/Neither people nor its files/)).toBeInTheDocument()
  expect(screen.queryByText('Licence')).toBeNull()
})

test('an edit sends only the claims that were changed', async () => {
  const bodies: unknown[] = []
  serve((request, body) => {
    if (!request.startsWith('PATCH')) return undefined
    bodies.push(JSON.parse(body))
    return { json: model() }
  })
  renderPage(<EditModelDialog model={model({ declared: said })} />)
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Edit' }))
  await user.clear(screen.getByLabelText('Licence'))
  await user.type(screen.getByLabelText('Tags'), ', new one,')
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() =>
    expect(bodies).toEqual([
      { name: 'child', description: '', licence: null, tags: ['vision', 'small', 'new one'] },
    ]),
  )
})

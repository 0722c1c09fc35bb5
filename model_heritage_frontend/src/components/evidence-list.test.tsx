import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import { EvidenceList } from '@/components/evidence-list'
import { renderPage } from '@/testing/render'
import { evidence } from '@/testing/samples'

test('the next best parent is named with its distance', () => {
  const known = evidence({ runner_up: 'm_2', margin: 0.42 })
  renderPage(<EvidenceList evidence={known} nameOf={(id) => (id === 'm_2' ? 'other' : null)} />)
  expect(screen.getByRole('link', { name: 'other' })).toHaveAttribute('href', '/models/m_2')
  expect(screen.getByText(/42% behind/)).toBeInTheDocument()
})

test('a parent without a rival is told as such', () => {
  renderPage(<EvidenceList evidence={evidence({ margin: 0.97 })} />)
  expect(screen.getByText(/No other model here/)).toBeInTheDocument()
})

test('between equal copies nothing is said of rivals', () => {
  renderPage(<EvidenceList evidence={evidence({ changed_tensors: 0 })} />)
  expect(screen.queryByText(/No other model here/)).toBeNull()
  expect(screen.queryByText(/Next best/)).toBeNull()
})

test('signals and changed tensors lie behind a fold', () => {
  renderPage(<EvidenceList evidence={evidence({ changed: ['head.weight'] })} />)
  expect(screen.getByText('head.weight').closest('details')).not.toHaveAttribute('open')
  expect(screen.getByText('Growth of the weights’ norm')).toBeInTheDocument()
})

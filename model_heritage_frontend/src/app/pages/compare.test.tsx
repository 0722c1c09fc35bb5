import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { ComparePage } from '@/app/pages/compare'
import { renderPage, serve } from '@/testing/render'
import { detail } from '@/testing/samples'

const comparison = {
  model_id: 'a',
  other_id: 'b',
  summary: 'b is a fine-tune of a.',
  distance: 0.03,
  related: true,
  relation_evidence: { norm_growth: 0.92 },
  kinship: { kind: 'child', path: ['a', 'b'], confidence: 0.9, relation: 'finetune', reasons: [] },
  tensors: [
    {
      name: 'head.weight',
      layer: null,
      kind: 'head',
      norm: 1,
      verdict: 'reshaped',
      shape: [10, 48],
      other_shape: [5, 48],
      distance: null,
      relative_change: null,
      cosine: null,
      equal: null,
      delta_rank: null,
      status: 'reshaped',
    },
    {
      name: 'embed.weight',
      layer: null,
      kind: 'embedding',
      norm: 1,
      verdict: 'equal',
      shape: [48, 16],
      other_shape: [48, 16],
      distance: 0,
      relative_change: 0,
      cosine: 1,
      equal: 1,
      delta_rank: null,
      status: 'equal',
    },
  ],
}

test('two models are compared, and the swap is a new address', async () => {
  serve((request) => {
    if (/GET \/api\/models\/[ab]\/compare\/[ab]/.test(request)) return { json: comparison }
    return request.startsWith('GET /api/models/') ? { json: detail({ name: request }) } : undefined
  })
  const { router } = renderPage(<ComparePage />, '/compare?a=a&b=b')
  expect(await screen.findByText('b is a fine-tune of a.')).toBeInTheDocument()
  expect(screen.getByText('1 of 2 tensors differ')).toBeInTheDocument()
  expect(screen.getByText('10 × 48 → 5 × 48')).toBeInTheDocument()
  expect(screen.getByText('other shape')).toBeInTheDocument()
  expect(screen.getByText('Growth of the weights’ norm')).toBeInTheDocument()
  const user = userEvent.setup()
  await user.selectOptions(screen.getByLabelText('Which tensors'), 'changed')
  expect(screen.queryByText('embed.weight')).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Swap the two models' }))
  expect(router.state.location.search).toContain('a=b&b=a')
})

test('without two models it asks for them, and refuses one and the same', async () => {
  serve(() => ({ json: detail() }))
  const { unmount } = renderPage(<ComparePage />, '/compare?a=a')
  expect(await screen.findByText('Choose two models')).toBeInTheDocument()
  unmount()
  renderPage(<ComparePage />, '/compare?a=a&b=a')
  expect(await screen.findByText('One and the same model')).toBeInTheDocument()
})

import { expect, test } from 'vitest'

import { edge, tree } from '@/testing/samples'

import { describeMoves } from './moves'

test('tells who has another parent, and how many more', () => {
  const before = tree()
  const after = tree({
    edges: [edge('base', 'left'), edge('left', 'right'), edge('right', 'mixed', 'merge')],
  })
  expect(describeMoves(before, before)).toBe('No model has another parent.')
  expect(describeMoves(before, after)).toBe('right: base → left; left-lora: left → no parent.')
  const flat = tree({ edges: ['left', 'left-lora', 'mixed'].map((id) => edge('right', id)) })
  expect(describeMoves(before, flat)).toBe(
    'left: base → right; right: base → no parent; and 1 more model.',
  )
  expect(describeMoves(undefined, after)).toBe('')
})

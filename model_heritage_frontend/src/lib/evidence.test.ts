import { expect, test } from 'vitest'

import { describeSignal, explainEvidence } from '@/lib/evidence'
import { evidence } from '@/testing/samples'

test('evidence becomes sentences, and nothing is said about what was not measured', () => {
  const lines = explainEvidence(evidence())
  expect(lines).toContain('38 of 40 shared tensors differ from the parent’s.')
  expect(lines).toContain('The weights moved by 3.1% of their own size.')
  expect(lines.join(' ')).toMatch(/parent first, child second, 25 to 1/)
  expect(lines.join(' ')).not.toMatch(/rank|bits|zero/)
})

test('a change of everything reads as such', () => {
  expect(explainEvidence(evidence({ changed_tensors: 40 }))[0]).toBe(
    'All 40 shared tensors differ from the parent’s.',
  )
})

test('the marks of each relation are named', () => {
  const text = explainEvidence(
    evidence({ delta_rank: 8, bits: 4, zero_fraction: 0.4, flags: ['new_head'], direction: -1 }),
  ).join(' ')
  expect(text).toMatch(/rank of 8/)
  expect(text).toMatch(/grid of 4 bits/)
  expect(text).toMatch(/40% of its weights are zero/)
  expect(text).toMatch(/new output head/)
  expect(text).toMatch(/the other way round/)
})

test('an exact copy has no change to speak of', () => {
  const lines = explainEvidence(evidence({ changed_tensors: 0, relative_change: 0 }))
  expect(lines).toContain('All 40 shared tensors are equal to the parent’s.')
  expect(lines.join(' ')).not.toMatch(/moved/)
})

test('no evidence, no sentences', () => {
  expect(explainEvidence({})).toEqual([])
})

test('unknown signals still read as words', () => {
  expect(describeSignal('zero_growth_rate')).toBe('Zero growth rate')
})

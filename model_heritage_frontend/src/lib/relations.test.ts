import { expect, test } from 'vitest'

import { describeOrigin } from '@/lib/relations'
import type { Evidence, Model } from '@/lib/types'
import { model, rootModel } from '@/testing/samples'

const say = (about: Model, evidence: Partial<Evidence> = {}): string => {
  const { before, parent, after } = describeOrigin(about, evidence)
  return `${before}${parent?.name ?? ''}${after}`
}

test('a resolved parent is told with what was done and how sure that is', () => {
  expect(say(model())).toBe('A fine-tune of base, 97% sure')
  expect(say(model({ relation: 'adapter' }), { delta_rank: 8 })).toBe(
    'A LoRA adapter (rank 8) merged into base, 97% sure',
  )
  expect(say(model({ relation: 'quantized' }), { bits: 4 })).toBe(
    'A 4-bit quantisation of base, 97% sure',
  )
  expect(say(model({ relation: 'pruned' }), { zero_fraction: 0.4 })).toBe(
    'A pruned copy of base (40% zeros), 97% sure',
  )
})

test('a doubtful parent is never told as a fact', () => {
  expect(say(model({ confidence_score: 0.41 }))).toBe(
    'Its parent is not certain. Best guess: base, 41% sure',
  )
  expect(describeOrigin(model({ relation: 'unresolved', confidence_score: 0.8 })).kind).toBe(
    'unresolved',
  )
})

test('models without a parent are a root, alone, or children of a missing ancestor', () => {
  expect(describeOrigin(rootModel()).kind).toBe('root')
  expect(describeOrigin(rootModel({ family_size: 1 })).kind).toBe('alone')
  expect(describeOrigin(rootModel({ is_root: false })).kind).toBe('ghost')
})

test('a model that is not read yet, or cannot be, says so', () => {
  expect(describeOrigin(model({ status: 'processing' })).parent).toBeNull()
  expect(say(model({ status: 'error', error: 'The file ends early.' }))).toBe(
    'The file ends early.',
  )
})

import { expect, test } from 'vitest'

import { describeOrigin, type Named } from '@/lib/relations'
import type { Evidence, Model } from '@/lib/types'
import { model, rootModel } from '@/testing/samples'

const say = (about: Model, evidence: Partial<Evidence> = {}, others: Named[] = []): string => {
  const { before, parents, after } = describeOrigin(about, { evidence, others })
  return `${before}${parents.map(({ name }) => name).join(' and ')}${after}`
}

test('a resolved parent is told with what was done and how sure that is', () => {
  expect(say(model())).toBe('A fine-tune of base, 97% sure')
  expect(say(model({ relation: 'adapter' }), { delta_rank: 8 })).toBe(
    'A LoRA adapter (rank 8) merged into base, 97% sure',
  )
  expect(say(model({ relation: 'adapter' }), { delta_rank: 8, flags: ['unmerged'] })).toBe(
    'A LoRA adapter (rank 8) for base, 97% sure',
  )
  expect(say(model({ relation: 'quantized' }), { bits: 4 })).toBe(
    'A 4-bit quantisation of base, 97% sure',
  )
  expect(say(model({ relation: 'pruned' }), { zero_fraction: 0.4 })).toBe(
    'A pruned copy of base (40% zeros), 97% sure',
  )
})

test('a merge names all its parents, or says that there is another', () => {
  const merge = model({ relation: 'merge' })
  expect(say(merge, {}, [{ id: 'm_2', name: 'other' }])).toBe('A merge of base and other, 97% sure')
  expect(say(merge)).toBe('A merge of base and another model, 97% sure')
})

test('a doubtful parent is never told as a fact', () => {
  expect(say(model({ confidence_score: 0.41 }))).toBe(
    'Its parent is not certain. Best guess: base, 41% sure',
  )
  const runnerUp = { id: 'm_2', name: 'other' }
  expect(describeOrigin(model({ confidence_score: 0.41 }), { runnerUp }).runnerUp).toBe(runnerUp)
  expect(describeOrigin(model({ relation: 'unresolved', confidence_score: 0.8 })).kind).toBe(
    'unresolved',
  )
})

test('the runner-up is named beside what the weights decide, never beside what people do', () => {
  const runnerUp = { id: 'm_2', name: 'other' }
  expect(describeOrigin(model(), { runnerUp }).runnerUp).toBe(runnerUp)
  const stated = { runnerUp, evidence: { stated_by: 'Ann' } }
  expect(describeOrigin(model(), stated).runnerUp).toBeNull()
})

test('a copy says that nothing can tell which came first, however many copies there are', () => {
  const copy = model({ relation: 'duplicate', confidence_score: 0.33 })
  expect(describeOrigin(copy).kind).toBe('derived')
  expect(say(copy)).toBe('The same weights as base; which of them came first, weights cannot tell')
})

test('models without a parent are a root, alone, or children of a missing ancestor', () => {
  expect(describeOrigin(rootModel()).kind).toBe('root')
  expect(describeOrigin(rootModel({ family_size: 1 })).kind).toBe('alone')
  expect(describeOrigin(rootModel({ is_root: false })).kind).toBe('ghost')
  const adapter = rootModel({ family_size: 1, is_root: false, quality: ['adapter'] })
  expect(describeOrigin(adapter).kind).toBe('unresolved')
})

test('a model that is not read yet, or cannot be, says so', () => {
  expect(describeOrigin(model({ status: 'processing' })).parents).toEqual([])
  expect(say(model({ status: 'error', error: 'The file ends early.' }))).toBe(
    'The file ends early.',
  )
})

test('a stated parent is told by its author’s word, not by a measure', () => {
  const child = model({ confidence_score: 1 })
  expect(say(child, { stated_by: 'Ann' })).toBe('A fine-tune of base, as Ann states')
  const stranger = model({ relation: 'unresolved', confidence_score: 1 })
  expect(say(stranger, { stated_by: 'Ann' })).toBe('Comes from base, as Ann states')
  expect(say(stranger)).toBe('Comes from base, as somebody states')
})

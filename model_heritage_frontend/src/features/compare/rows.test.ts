import { expect, test } from 'vitest'

import type { TensorComparison } from '@/lib/types'

import { ALL_ROWS, barLength, chooseRows, largestChange } from './rows'

const tensor = (name: string, change: number | null): TensorComparison => ({
  name,
  layer: null,
  kind: 'mlp',
  norm: 1,
  shape: [2, 2],
  other_shape: [2, 2],
  distance: change,
  relative_change: change,
  cosine: 0.9,
  equal: change === 0 ? 1 : 0,
  delta_rank: null,
  status: change === 0 ? 'equal' : 'changed',
  verdict: 'trained',
})

const tensors = [tensor('a', 0.1), tensor('b', 0), tensor('c', 0.3), tensor('D', null)]
const names = (rows: TensorComparison[]) => rows.map((row) => row.name)

test('the most changed come first, and what cannot be measured before them', () => {
  const options = ALL_ROWS
  expect(names(chooseRows(tensors, options))).toEqual(['D', 'c', 'a', 'b'])
  expect(names(tensors)).toEqual(['a', 'b', 'c', 'D'])
})

test('rows can be kept in the file’s order, searched and limited to changes', () => {
  expect(names(chooseRows(tensors, { ...ALL_ROWS, changedOnly: true, order: 'file' }))).toEqual([
    'a',
    'c',
    'D',
  ])
  expect(names(chooseRows(tensors, { ...ALL_ROWS, search: ' d ', order: 'file' }))).toEqual(['D'])
})

test('any column sorts, both ways, and a cell of the heat strip narrows the rows down', () => {
  expect(names(chooseRows(tensors, { ...ALL_ROWS, order: 'name', reversed: true }))).toEqual([
    'D',
    'c',
    'b',
    'a',
  ])
  expect(names(chooseRows(tensors, { ...ALL_ROWS, reversed: true })).at(0)).toBe('b')
  const [first, ...rest] = tensors
  if (!first) throw new Error('there are tensors')
  const mixed = [{ ...first, layer: 3, kind: 'attention' }, ...rest]
  expect(names(chooseRows(mixed, { ...ALL_ROWS, layer: '3' }))).toEqual(['a'])
  expect(names(chooseRows(mixed, { ...ALL_ROWS, layer: 'none', kind: 'mlp' }))).not.toContain('a')
})

test('bars share one scale', () => {
  expect(largestChange(tensors)).toBe(0.3)
  expect(barLength(0.3, 0.3)).toBe(1)
  expect(barLength(0.15, 0.3)).toBe(0.5)
  expect(barLength(1e-9, 0.3)).toBe(0.01)
  expect(barLength(0, 0.3)).toBe(0)
  expect(barLength(null, 0.3)).toBe(0)
})

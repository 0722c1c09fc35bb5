import { expect, test } from 'vitest'

import type { TensorComparison } from '@/lib/types'

import { buildHeatMap, cellKey, countChanges, heat } from './heat'

const tensor = (
  layer: number | null,
  kind: string,
  change: number | null,
  norm: number | null = 1,
): TensorComparison => ({
  name: `${layer}.${kind}`,
  layer,
  kind,
  norm,
  shape: [2],
  other_shape: [2],
  distance: null,
  relative_change: change,
  cosine: null,
  equal: null,
  delta_rank: null,
  status: change === 0 ? 'equal' : change === null ? 'reshaped' : 'changed',
  verdict: 'trained',
})

test('cells hold the change of all their tensors together, weighed by their norms', () => {
  const map = buildHeatMap([
    tensor(0, 'mlp', 0.3, 4),
    tensor(0, 'mlp', 0, 3),
    tensor(10, 'mlp', 0.1),
    tensor(2, 'attention', 0),
    tensor(null, 'head', null),
  ])
  expect(map.layers).toEqual([0, 2, 10, null])
  expect(map.kinds).toEqual(['attention', 'head', 'mlp'])
  // sqrt((0.3 * 4)² + 0) / sqrt(4² + 3²)
  expect(map.cells.get(cellKey('mlp', 0))?.change).toBeCloseTo(0.24)
  expect(map.cells.get(cellKey('attention', 2))).toMatchObject({ change: 0, changed: 0 })
  expect(map.cells.get(cellKey('head', null))).toMatchObject({ change: null, changed: 1 })
  expect(map.cells.has(cellKey('attention', 0))).toBe(false)
  expect(heat(map.most, map)).toBeCloseTo(1)
  expect(heat(map.least, map)).toBeLessThan(0.1)
  expect(heat(0, map)).toBe(0)
})

test('changes are counted in steps of a third of a decade, without gaps', () => {
  const { bins, equal } = countChanges([
    tensor(0, 'mlp', 0.01),
    tensor(1, 'mlp', 0.012),
    tensor(2, 'mlp', 0.1),
    tensor(3, 'mlp', 0),
    tensor(null, 'head', null),
  ])
  expect(equal).toBe(1)
  expect(bins.map((bin) => bin.count)).toEqual([2, 0, 0, 1])
  expect(bins[0]?.from).toBeCloseTo(0.01)
  expect(countChanges([])).toEqual({ bins: [], equal: 0 })
})

import { expect, test } from 'vitest'

import { nameBin, nameParameters, nameTime, summariseCalibration, trim } from './bins'

test('empty bins go at both ends only', () => {
  expect(trim([0, 0, 2, 0, 1, 0], (count) => count)).toEqual([2, 0, 1])
  expect(trim([0, 0], (count) => count)).toEqual([])
})

test('bins have names that people read', () => {
  expect(nameBin(9)).toBe('90–100%')
  expect(nameTime('2026-02-01', 'day')).toBe('Feb 1')
  expect(nameTime('2026-02-01', 'month')).toBe('Feb 2026')
  expect(nameParameters({ least: 1000, below: 10_000, models: 1 })).toBe('1K – 10K')
})

test('what was measured says how many were sure, and how many of these were right', () => {
  const empty = { edges: 0, right: 0, mean_confidence: null }
  const bins = [...Array<typeof empty>(8).fill(empty), { ...empty, edges: 30, right: 20 }]
  expect(summariseCalibration([...bins, { edges: 70, right: 68, mean_confidence: 0.96 }])).toMatch(
    /on 100 parents .* 70% were told with 90% or more, and 97% of those are right/,
  )
  expect(summariseCalibration([...bins, empty])).toBe('')
})

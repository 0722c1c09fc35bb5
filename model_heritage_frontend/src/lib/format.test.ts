import { expect, test } from 'vitest'

import {
  formatAgo,
  formatBytes,
  formatChange,
  formatCompact,
  formatDuration,
  formatLeft,
  formatPercent,
  formatShape,
  formatSmall,
  parseCompact,
  plural,
} from '@/lib/format'

test('a percentage never claims certainty that is not there', () => {
  expect(formatPercent(0.97)).toBe('97%')
  expect(formatPercent(0.9999)).toBe('>99%')
  expect(formatPercent(1)).toBe('100%')
  expect(formatPercent(0.001)).toBe('<1%')
  expect(formatPercent(0)).toBe('0%')
})

test('bytes use decimal units and round up into the next one', () => {
  expect(formatBytes(0)).toBe('0 B')
  expect(formatBytes(999)).toBe('999 B')
  expect(formatBytes(1_500_000)).toBe('1.5 MB')
  expect(formatBytes(999_999)).toBe('1.0 MB')
  expect(formatBytes(497_759_232)).toBe('498 MB')
})

test('counts and quantities', () => {
  expect(formatCompact(124_439_808)).toBe('124M')
  expect(formatCompact(null)).toBe('–')
  expect(plural(1, 'child', 'children')).toBe('1 child')
  expect(plural(1234, 'child', 'children')).toBe('1,234 children')
  expect(formatSmall(0.03124)).toBe('0.0312')
  expect(formatSmall(0.00001)).toBe('1.0e-5')
  expect(formatSmall(0)).toBe('0')
  expect(formatChange(0.0794)).toBe('7.94%')
  expect(formatChange(0.00001)).toBe('<0.01%')
  expect(formatShape([144, 48])).toBe('144 × 48')
  expect(formatShape([])).toBe('scalar')
})

test('times are told relative to now, and a clock that runs ahead is now', () => {
  const now = new Date('2026-11-20T12:00:00Z').getTime()
  expect(formatAgo('2026-11-20T11:57:00Z', now)).toBe('3 minutes ago')
  expect(formatAgo('2026-11-20T12:00:30Z', now)).toBe('just now')
  expect(formatAgo('2026-11-19T11:00:00Z', now)).toBe('yesterday')
  expect(formatDuration('2026-11-20T12:00:00Z', '2026-11-20T12:00:00.700Z')).toBe('0.7 s')
  expect(formatDuration('2026-11-20T12:00:00Z', '2026-11-20T12:00:00.010Z')).toBe('<0.1 s')
})

test('a time to wait is told in whole steps', () => {
  expect([1, 12, 52, 56, 600, 3500, 8000].map(formatLeft)).toEqual([
    'a few seconds',
    '10 seconds',
    '50 seconds',
    '1 minute',
    '10 minutes',
    '1 hour',
    '2 hours',
  ])
})

test('numbers are read as people write them', () => {
  expect(['7B', '1.5 m', '20,000', '12', '0'].map(parseCompact)).toEqual([
    7_000_000_000, 1_500_000, 20_000, 12, 0,
  ])
  expect(['', 'many', '-1', '1e9', '9999999999T'].map(parseCompact)).toEqual(
    Array.from({ length: 5 }, () => null),
  )
})

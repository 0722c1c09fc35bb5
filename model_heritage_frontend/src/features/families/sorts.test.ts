import { expect, test } from 'vitest'

import { readSort, turnSort } from './sorts'

test('a column sorts the greatest first, names from a, and a second click turns it round', () => {
  expect(turnSort('-size', 'depth')).toBe('-depth')
  expect(turnSort('-depth', 'depth')).toBe('depth')
  expect(turnSort('depth', 'depth')).toBe('-depth')
  expect(turnSort('-size', 'name')).toBe('name')
  expect(turnSort('name', 'name')).toBe('-name')
})

test('an address cannot ask for an order that there is not', () => {
  expect(readSort('-unresolved')).toBe('-unresolved')
  expect(readSort('--size')).toBe('-size')
  expect(readSort('colour')).toBe('-size')
})

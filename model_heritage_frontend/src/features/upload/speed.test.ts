import { expect, test } from 'vitest'

import { secondsLeft, Speedometer } from './speed'

test('the speed is that of the last seconds', () => {
  const meter = new Speedometer()
  expect(meter.measure(0, 0)).toBeNull()
  expect(meter.measure(500, 500)).toBeNull()
  expect(meter.measure(2000, 1000)).toBe(2000)
  // Long after, only what is recent counts: 10 bytes in the last second.
  meter.measure(3000, 20_000)
  expect(meter.measure(3010, 21_000)).toBe(10)
})

test('the time left follows from it, where it can be told', () => {
  expect(secondsLeft(1000, 500)).toBe(2)
  expect(secondsLeft(1000, 0)).toBeNull()
  expect(secondsLeft(1000, null)).toBeNull()
})

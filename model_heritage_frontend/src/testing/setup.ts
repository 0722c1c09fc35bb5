import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeEach, expect, vi } from 'vitest'

// happy-dom knows no font loading; every real browser does.
Object.defineProperty(document, 'fonts', { value: { ready: Promise.resolve() } })

// A busy machine is no fault of the page.
configure({ asyncUtilTimeout: 60_000 })

/** What React and the browser complain about fails the test in which it was said. */
let complaints: unknown[][] = []

beforeEach(() => {
  complaints = []
  vi.spyOn(console, 'error').mockImplementation((...words) => complaints.push(words))
  vi.spyOn(console, 'warn').mockImplementation((...words) => complaints.push(words))
})

afterEach(() => {
  cleanup()
  localStorage.clear()
  vi.unstubAllGlobals()
  expect(complaints).toEqual([])
})

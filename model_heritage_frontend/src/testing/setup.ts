import '@testing-library/jest-dom/vitest'
import { cleanup } from '@testing-library/react'
import { afterEach, vi } from 'vitest'

// happy-dom knows no font loading; every real browser does.
Object.defineProperty(document, 'fonts', { value: { ready: Promise.resolve() } })

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

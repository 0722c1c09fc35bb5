import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'

import type { LakeDistributions } from '@/lib/types'
import { renderPage, serve } from '@/testing/render'

import { Distributions } from './distributions'

const BIN = { edges: 0, right: 0, mean_confidence: null }
const stored = { models: 2, measured: 1, bytes: 1000, saved_bytes: 400 }

const lake = (changes: Partial<LakeDistributions> = {}): LakeDistributions => ({
  arrivals: { unit: 'day', counts: [{ start: '2026-11-20', models: 3 }] },
  formats: [{ format: 'safetensors', models: 3, bytes: 1500 }],
  family_sizes: [
    { least: 1, below: 2, families: 0 },
    { least: 2, below: 3, families: 1 },
  ],
  parameters: [{ least: 1000, below: 10_000, models: 3 }],
  confidence: Array.from({ length: 10 }, (_, place) => ({
    least: place / 10,
    edges: place === 9 ? 2 : 0,
    expected_right: place === 9 ? 1.9 : 0,
  })),
  calibration: [...Array<typeof BIN>(9).fill(BIN), { edges: 50, right: 48, mean_confidence: 0.97 }],
  storage: { ...stored, relations: [{ ...stored, relation: 'adapter' }] },
  ...changes,
})

test('each chart has its figures as a table, and storage says what is not known', async () => {
  serve(() => ({ json: lake() }))
  renderPage(<Distributions />)
  expect(
    await screen.findByText('If confidences keep their word, 2 of 2 parents are right.'),
  ).toBeInTheDocument()
  expect(screen.getByText(/2 models would need 600 B instead of 1.0 kB: 40% less/)).toBeVisible()
  expect(screen.getByText(/1 model without a measure of both files/)).toBeInTheDocument()
  const tables = screen.getAllByRole('table')
  const sizes = tables.find((table) => within(table).queryByText('Families') !== null)
  if (!sizes) throw new Error('no table of the families')
  expect(within(sizes).getAllByRole('row')).toHaveLength(2)
  expect(
    screen.getByText(/100% were told with 90% or more, and 96% of those are right/),
  ).toBeVisible()
})

test('a lake without parents says so and draws nothing that is not there', async () => {
  const nothing = { models: 0, measured: 0, bytes: 0, saved_bytes: 0 }
  serve(() => ({
    json: lake({
      confidence: lake().confidence.map((bin) => ({ ...bin, edges: 0, expected_right: 0 })),
      storage: { ...nothing, relations: [] },
    }),
  }))
  renderPage(<Distributions />)
  expect(await screen.findByText('No parent has been found yet.')).toBeInTheDocument()
  expect(screen.getByText(/No model has a parent here/)).toBeInTheDocument()
})

test('what could not be counted is told, with a way on', async () => {
  serve(() => undefined)
  renderPage(<Distributions />)
  expect(await screen.findByRole('alert')).toHaveTextContent('There is nothing at')
})

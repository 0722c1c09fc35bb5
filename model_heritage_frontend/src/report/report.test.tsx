import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test, vi } from 'vitest'

import { readReport, type ReportData } from '@/report/heritage'
import { ReportPage } from '@/report/report'
import { edge } from '@/testing/samples'

const HOSTILE = '<img src=x onerror=alert(1)>'
const describeModel = (id: string, path: string, family: string) => ({
  id,
  path,
  family,
  checksum: 'c'.repeat(64),
  total_parameters: 1000,
})

const data: ReportData = {
  title: 'checkpoints',
  made_at: '2026-11-21T19:00:00Z',
  sizes: { 'a/base.safetensors': 4096 },
  document: {
    models: [
      describeModel('m_1', 'a/base.safetensors', 'F1'),
      describeModel('m_2', 'a/model.pt', 'F1'),
      describeModel('m_3', 'b/model.pt', 'F2'),
      describeModel('m_4', `${HOSTILE}.pt`, 'F3'),
    ],
    edges: [{ ...edge('m_1', 'm_2'), confidence: 0.9 }],
    families: [
      { id: 'F1', root: 'm_1', size: 2 },
      { id: 'F2', root: null, size: 1 },
      { id: 'F3', root: null, size: 1 },
    ].map((one) => ({ ...one, root_confidence: 0.8, method: 'heritage', ghost_limit: null })),
    ghosts: [],
    errors: [{ path: 'evil.pt', type: 'invalid-weights', detail: 'It was refused.' }],
  },
}

afterEach(() => {
  window.location.hash = ''
})

test('models are named as shortly as can be, and sorted into families', () => {
  const report = readReport(data)
  expect([...report.models.values()].map(({ name }) => name)).toEqual([
    'base',
    'a/model.pt',
    'b/model.pt',
    HOSTILE,
  ])
  expect(report.families.map(({ name, size }) => [name, size])).toEqual([['Family of base', 2]])
  expect(report.families[0]?.tree.edges).toHaveLength(1)
  expect(report.models.get('m_2')).toMatchObject({ parent_name: 'base', confidence_score: 0.9 })
  expect(report.alone.map(({ id }) => id)).toEqual(['m_4', 'm_3'])
})

test('the page shows families, strangers and refused files, and asks nobody', async () => {
  const fetched = vi.spyOn(globalThis, 'fetch')
  render(<ReportPage data={data} />)
  expect(await screen.findByRole('heading', { name: 'Family of base' })).toBeVisible()
  expect(screen.getByText('It was refused.')).toBeVisible()
  await userEvent.click(screen.getByRole('link', { name: HOSTILE }))
  const facts = within(screen.getByRole('main'))
  expect(facts.getByRole('heading', { name: HOSTILE })).toBeVisible()
  expect(document.querySelector('img')).toBeNull()
  expect(fetched).not.toHaveBeenCalled()
})

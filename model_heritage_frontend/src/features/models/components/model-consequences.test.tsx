import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { renderPage, serve } from '@/testing/render'
import { impact, licenceReport, reached } from '@/testing/samples'

import { ModelConsequences } from './model-consequences'

const show = () => renderPage(<ModelConsequences modelId="m_child" />)

test('descendants come with probability and way, grouped by how sure they are', async () => {
  serve((request) => {
    if (request.endsWith('/impact')) {
      return {
        json: impact({
          sure: [reached(['child', 'middle', 'tiny'])],
          likely: [reached(['child', 'cousin'], { probability: 0.6 })],
          cannot_be_ruled_out: [
            {
              id: 'g',
              name: 'g',
              kind: 'ghost',
              probability: null,
              reason: 'Seems to be missing.',
            },
          ],
        }),
      }
    }
    return request.endsWith('/licence') ? { json: licenceReport() } : undefined
  })
  show()
  expect(await screen.findByText(/^If child is flawed/)).toBeInTheDocument()
  expect(screen.getByText('Sure: 1 model').closest('details')).toHaveAttribute('open')
  expect(screen.getByText('by way of middle')).toBeInTheDocument()
  expect(screen.getByText('95%')).toBeInTheDocument()
  const likely = screen.getByText('Likely: 1 model')
  expect(likely.closest('details')).not.toHaveAttribute('open')
  await userEvent.setup().click(likely)
  expect(screen.getByRole('link', { name: 'cousin' })).toHaveAttribute('href', '/models/cousin')
  expect(screen.getByText('Seems to be missing.')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: /CSV/ })).toHaveAttribute(
    'href',
    '/api/models/m_child/impact?format=csv',
  )
})

test('inherited and dropped restrictions are told as sentences', async () => {
  serve((request) => {
    if (request.endsWith('/impact')) return { json: impact() }
    if (!request.endsWith('/licence')) return undefined
    return {
      json: licenceReport({
        inherited: [
          {
            restriction: 'non_commercial',
            licence: 'cc-by-nc-4.0',
            from: reached(['child'], { id: 'm_base', name: 'base', probability: 0.98 }),
          },
        ],
        heirs: [{ model: reached(['child', 'heir']), licence: 'mit', dropped: ['non_commercial'] }],
      }),
    }
  })
  show()
  expect(await screen.findByRole('link', { name: 'base' })).toHaveAttribute(
    'href',
    '/models/m_base',
  )
  expect(screen.getByText(/cc-by-nc-4\.0/)).toHaveTextContent('98% sure')
  expect(screen.getByText(/no longer asks for no commercial use/)).toHaveTextContent('heir (mit)')
})

test('a report that fails is told, the other one is shown', async () => {
  serve((request) => (request.endsWith('/licence') ? { json: licenceReport() } : undefined))
  show()
  expect(await screen.findByRole('alert')).toHaveTextContent('Not found')
  expect(screen.getByText('child likely inherits no known restriction.')).toBeInTheDocument()
})

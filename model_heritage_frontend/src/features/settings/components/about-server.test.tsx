import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import type { Role } from '@/lib/access'
import type { Upkeep } from '@/lib/types'
import { renderPage, serve } from '@/testing/render'

import { AboutServer } from './about-server'

const show = (role: Role, state: Partial<Upkeep> | null = {}) => {
  const requests = serve((request) => {
    if (request === 'GET /api/session') {
      return {
        json: { access: 'login', role, name: 'Ann', user_id: 'u_1', token_id: null },
      }
    }
    if (request === 'GET /api/health') return { json: { status: 'ok', version: '1.2.3' } }
    if (request === 'GET /api/stats') return { json: { total_models: 2, total_bytes: 2048 } }
    if (request === 'GET /api/ready') return { json: { status: 'ready', checks: {} } }
    if (request !== 'GET /api/maintenance/upkeep') return undefined
    if (state === null) return { status: 503, json: { title: 'The database is busy.' } }
    const none = { backups: 0, last_backup_at: null, last_verified_at: null, backup_problem: null }
    return { json: { ...none, damaged_files: [], ...state } }
  })
  renderPage(<AboutServer />)
  return requests
}

test('an admin is told that there are no backups', async () => {
  show('admin')
  expect(await screen.findByText(/^There is none\. The setting backup_folder/)).toBeInTheDocument()
  expect(screen.getByText('None was found damaged.')).toBeInTheDocument()
})

test('an admin is told of backups, of what is wrong with them, and of damage', async () => {
  show('admin', {
    backups: 3,
    last_backup_at: '2026-11-20T10:00:00Z',
    last_verified_at: '2026-11-19T10:00:00Z',
    backup_problem: 'The other disk is full.',
    damaged_files: ['0'.repeat(64)],
  })
  expect(await screen.findByText('The other disk is full.')).toBeInTheDocument()
  expect(screen.getByText(/one was read again, and found whole/)).toBeInTheDocument()
  expect(screen.getByText(/^1 file found damaged/)).toBeInTheDocument()
})

test('an admin is told when backups and files cannot be asked for', async () => {
  show('admin', null)
  expect(await screen.findByText('The database is busy.')).toBeInTheDocument()
})

test('nobody else asks', async () => {
  const requests = show('editor')
  expect(await screen.findByText('1.2.3')).toBeInTheDocument()
  expect(requests).not.toContain('GET /api/maintenance/upkeep')
})

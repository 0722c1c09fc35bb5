import { expect, test } from 'vitest'

import { ApiError } from '@/lib/problem'
import { model } from '@/testing/samples'

import { isReady, nextUpload, reduceUploads, type UploadItem } from './queue'

const file = (name: string, content = 'weights') => new File([content], name, { lastModified: 1 })

const add = (...files: File[]) => reduceUploads([], { type: 'add', files })

const only = (items: UploadItem[]): UploadItem => {
  const [item] = items
  if (!item || items.length !== 1) throw new Error(`expected one item, got ${items.length}`)
  return item
}

test('a dropped file gets its name and waits for the button', () => {
  const item = only(add(file('bert.safetensors')))
  expect(item).toMatchObject({ name: 'bert', refusal: null, purpose: null })
  expect(isReady(item)).toBe(true)
  expect(nextUpload([item])).toBeNull()
})

test('the same file dropped twice is one row, until it is finished', () => {
  const once = add(file('a.pt'))
  const twice = reduceUploads(once, { type: 'add', files: [file('a.pt'), file('b.pt')] })
  expect(twice.map((item) => item.title)).toEqual(['a.pt', 'b.pt'])
  const done = reduceUploads(once, {
    type: 'state',
    id: only(once).id,
    state: { kind: 'done', outcome: { model: model(), evidence: null } },
  })
  expect(reduceUploads(done, { type: 'add', files: [file('a.pt')] })).toHaveLength(2)
})

test('parts that come again with the others make one row', () => {
  const parts = [1, 2, 3].map((number) => file(`m-0000${number}-of-00003.safetensors`))
  const lone = only(add(...parts.slice(0, 1)))
  expect(lone.refusal).toMatch(/one of 3 parts/)
  const some = reduceUploads([lone], { type: 'add', files: parts.slice(0, 2) })
  expect(only(some)).toMatchObject({ title: 'm', refusal: null })
  const all = only(reduceUploads(some, { type: 'add', files: parts }))
  expect(all.parts).toHaveLength(3)
  expect(only(reduceUploads([all], { type: 'add', files: parts.slice(1) }))).toBe(all)
  const sent = reduceUploads(some, { type: 'start', purpose: 'add' })
  expect(reduceUploads(sent, { type: 'add', files: parts })).toHaveLength(2)
})

test('only suitable files with a name start, one after the other', () => {
  let items = add(file('a.pt'), file('notes.txt'), file('b.pt'), file('c.pt'))
  const [, , , last] = items
  items = reduceUploads(items, { type: 'edit', id: last?.id ?? '', changes: { name: '  ' } })
  items = reduceUploads(items, { type: 'start', purpose: 'add' })
  expect(items.map((item) => item.purpose)).toEqual(['add', null, 'add', null])
  const first = nextUpload(items)
  expect(first?.title).toBe('a.pt')
  items = reduceUploads(items, {
    type: 'state',
    id: first?.id ?? '',
    state: { kind: 'sending', share: 0 },
  })
  expect(nextUpload(items)).toBeNull()
  items = reduceUploads(items, {
    type: 'state',
    id: first?.id ?? '',
    state: { kind: 'done', outcome: { model: model(), evidence: null } },
  })
  expect(nextUpload(items)?.title).toBe('b.pt')
})

test('a failed upload goes back to the form and can be tried again', () => {
  const start = { type: 'start', purpose: 'add' } as const
  let items = reduceUploads(add(file('a.pt')), start)
  const { id } = only(items)
  const error = new ApiError({ status: 0, kind: 'unreachable', title: 'x', detail: 'y' })
  items = reduceUploads(items, { type: 'state', id, state: { kind: 'failed', error } })
  expect(nextUpload(items)).toBeNull()
  items = reduceUploads(items, { type: 'reset', id })
  expect(isReady(only(items))).toBe(true)
  expect(nextUpload(reduceUploads(items, start))?.id).toBe(id)
})

test('clearing takes away what is finished or refused, and nothing else', () => {
  let items = add(file('a.pt'), file('notes.txt'), file('b.pt'))
  items = reduceUploads(items, {
    type: 'state',
    id: items[0]?.id ?? '',
    state: { kind: 'done', outcome: { model: model(), evidence: null } },
  })
  expect(reduceUploads(items, { type: 'clear-finished' }).map((item) => item.title)).toEqual([
    'b.pt',
  ])
})

import { expect, test } from 'vitest'

import { ApiError } from '@/lib/problem'
import { model } from '@/testing/samples'

import {
  isReady,
  nextUpload,
  reduceUploads,
  refuseTags,
  wordsOf,
  type UploadItem,
  type UploadState,
} from './queue'

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

const sending: UploadState = {
  kind: 'sending',
  bytes: 3,
  file: 0,
  speed: null,
  interrupted: false,
}

const setState = (items: UploadItem[], title: string, state: UploadState) =>
  items.reduce(
    (all, item) =>
      item.title === title ? reduceUploads(all, { type: 'state', id: item.id, state }) : all,
    items,
  )

test('only suitable files with a name start, two at a time', () => {
  let items = add(file('a.pt'), file('notes.txt'), file('b.pt'), file('c.pt'), file('d.pt'))
  const last = items.at(-1)
  items = reduceUploads(items, { type: 'edit', id: last?.id ?? '', changes: { name: '  ' } })
  items = reduceUploads(items, { type: 'start', purpose: 'add' })
  expect(items.map((item) => item.purpose)).toEqual(['add', null, 'add', 'add', null])
  items = setState(items, 'a.pt', sending)
  expect(nextUpload(items)?.title).toBe('b.pt')
  items = setState(items, 'b.pt', sending)
  expect(nextUpload(items)).toBeNull()
  // While the server reads the first one, the third is sent.
  items = setState(items, 'a.pt', { kind: 'reading', job: null })
  expect(nextUpload(items)?.title).toBe('c.pt')
})

test('what is looked up counts until its answer is here', () => {
  let items = add(file('a.pt'), file('b.pt'), file('c.pt'))
  items = reduceUploads(items, { type: 'start', purpose: 'identify' })
  items = setState(items, 'a.pt', { kind: 'reading', job: null })
  items = setState(items, 'b.pt', { kind: 'reading', job: null })
  expect(nextUpload(items)).toBeNull()
})

test('a paused upload leaves its turn to the next, and waits for it again', () => {
  let items = reduceUploads(add(file('a.pt')), { type: 'start', purpose: 'add' })
  const { id } = only(items)
  items = setState(items, 'a.pt', sending)
  items = reduceUploads(items, { type: 'pause', id })
  expect(only(items).state).toEqual({ kind: 'paused', bytes: 3 })
  expect(nextUpload(items)).toBeNull()
  items = reduceUploads(items, { type: 'resume', id })
  expect(nextUpload(items)?.id).toBe(id)
})

test('what is said goes along as far as something was written', () => {
  const said = { name: ' bert ', description: '', licence: ' mit', tags: 'a, b,,a ', base: '' }
  expect(wordsOf(said)).toEqual({
    name: 'bert',
    description: '',
    licence: 'mit',
    tags: ['a', 'b'],
  })
  expect(refuseTags('a, b')).toBeNull()
  expect(refuseTags('x'.repeat(51))).toMatch(/50 characters/)
  expect(refuseTags(Array.from({ length: 33 }, (_, n) => `t${n}`).join())).toMatch(/32 tags/)
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

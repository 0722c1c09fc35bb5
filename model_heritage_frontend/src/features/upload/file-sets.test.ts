import { expect, test } from 'vitest'

import { groupFiles, refuseLonePart } from './file-sets'

/** A file as the drop zone gives it, with its path. */
const file = (path: string, content = 'weights') =>
  Object.assign(new File([content], path.split('/').pop() ?? path), { path })

const part = (number: number, count: number, stem = 'model', ending = '.safetensors') =>
  `${stem}-0000${number}-of-0000${count}${ending}`

const names = (files: File[]) => files.map(({ name }) => name)

/** Each set as its title, its parts and what is sent beside them. */
const group = (...paths: string[]) =>
  groupFiles(paths.map((path) => file(path))).map(({ title, parts, beside }) => [
    title,
    names(parts),
    names(beside),
  ])

test('parts are one model with their index and their texts', () => {
  const parts = [part(2, 3), part(1, 3), part(3, 3)]
  const beside = ['model.safetensors.index.json', 'config.json', 'README.md']
  expect(group('config.json', ...parts, 'README.md', 'model.safetensors.index.json')).toEqual([
    ['model', parts, beside],
  ])
})

test('an incomplete set is one model, too', () => {
  expect(group(part(1, 3), part(3, 3))).toEqual([['model', [part(1, 3), part(3, 3)], []]])
})

test('stem, count and ending must be the same', () => {
  const paths = [part(1, 2), part(2, 3), part(1, 2, 'other'), part(2, 2, 'model', '.bin')]
  expect(group(...paths)).toEqual(paths.map((path) => [path, [path], []]))
})

test('an index goes to the parts whose names it begins with', () => {
  const sets = ['model', 'model-v2'].map((stem) => [part(1, 2, stem), part(2, 2, stem)])
  const bins = [part(1, 2, 'model', '.bin'), part(2, 2, 'model', '.bin')]
  const indexes = ['model-v2.safetensors.index.json', 'model.bin.index.json']
  expect(group(...indexes, ...sets.flat(), ...bins, 'strange.index.json')).toEqual([
    ['model', sets[0], []],
    ['model-v2', sets[1], ['model-v2.safetensors.index.json']],
    ['model', bins, ['model.bin.index.json']],
    ['strange.index.json', ['strange.index.json'], []],
  ])
})

test('an index of another name goes to the only set, unless that has its own', () => {
  const parts = [part(1, 2), part(2, 2)]
  expect(group(...parts, 'renamed.index.json')).toEqual([['model', parts, ['renamed.index.json']]])
  expect(group(...parts, 'pytorch.bin.index.json', 'model.safetensors.index.json')).toEqual([
    ['model', parts, ['model.safetensors.index.json']],
    ['pytorch.bin.index.json', ['pytorch.bin.index.json'], []],
  ])
})

test('texts join a model only where there is exactly one that can take them', () => {
  const adapter = ['adapter_model.safetensors', 'adapter_config.json']
  expect(group(...adapter, 'notes.txt')).toEqual([
    ['adapter_model.safetensors', ['adapter_model.safetensors'], ['adapter_config.json']],
    ['notes.txt', ['notes.txt'], []],
  ])
  for (const alone of [
    ['config.json'],
    ['model.safetensors.index.json'],
    ['a.pt', 'b.pt', 'README.md'],
    ['a.zip', 'README.md'],
    ['a.pt', 'tokenizer.json'],
  ])
    expect(group(...alone)).toEqual(alone.map((path) => [path, [path], []]))
})

test('an empty text joins nothing', () => {
  const sets = groupFiles([file('a.pt'), file('README.md', '')])
  expect(sets.map(({ title }) => title)).toEqual(['a.pt', 'README.md'])
})

test('folders are kept apart', () => {
  const parts = [part(1, 2), part(2, 2)]
  const paths = ['/one/', '/two/'].flatMap((folder) =>
    [...parts, 'config.json'].map((name) => folder + name),
  )
  expect(group(...paths)).toEqual([
    ['model', parts, ['config.json']],
    ['model', parts, ['config.json']],
  ])
})

test('one part alone is no model', () => {
  expect(refuseLonePart(part(1, 3))).toMatch(/one of 3 parts/)
  expect(refuseLonePart(part(1, 1))).toBeNull()
  expect(refuseLonePart('model.safetensors')).toBeNull()
})

import { expect, test } from 'vitest'

import { MAX_BYTES, nameFromFile, refuseFile, refuseFiles } from '@/lib/checkpoint-files'

test('a name is the file name without folder and ending', () => {
  expect(nameFromFile('bert-base.safetensors')).toBe('bert-base')
  expect(nameFromFile('runs/7/Model.PT')).toBe('Model')
  expect(nameFromFile('archive.tar')).toBe('archive.tar')
  expect(nameFromFile('.pt')).toBe('.pt')
})

test('files that cannot be checkpoints are refused with a sentence', () => {
  expect(refuseFile({ name: 'model.SafeTensors', size: 10 })).toBeNull()
  expect(refuseFile({ name: 'notes.txt', size: 10 })).toMatch(/safetensors/)
  expect(refuseFile({ name: 'model.pt', size: 0 })).toMatch(/empty/)
  expect(refuseFile({ name: 'model.bin', size: MAX_BYTES })).toBeNull()
  expect(refuseFile({ name: 'model.bin', size: MAX_BYTES + 1 })).toMatch(/5 GB/)
})

test('files of one model are refused together', () => {
  const part = (size: number) => ({ name: 'a.safetensors', size })
  expect(refuseFiles([part(MAX_BYTES - 10), part(10)])).toBeNull()
  expect(refuseFiles([part(MAX_BYTES - 10), part(11)])).toMatch(/Together .* 5 GB/)
  expect(refuseFiles([part(1), { name: 'b.safetensors', size: 0 }])).toMatch(/“b.safetensors”/)
  expect(refuseFiles([{ name: 'config.json', size: 10 }])).toMatch(/Only .safetensors/)
})

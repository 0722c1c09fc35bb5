import { expect, test } from 'vitest'

import { model } from '@/testing/samples'

import { writeCurl, writePython } from './copy-as'

const hostile = model({ id: 'm_1', filename: '../$(rm -rf ~)"; x.safetensors' })

test('what is pasted into a shell or into Python holds nothing that a file name brought', () => {
  const here = 'http://localhost:5001'
  expect(writeCurl(hostile, here)).toBe(
    'curl -o _rm_-rf_x.safetensors http://localhost:5001/api/models/m_1/download\n' +
      'curl http://localhost:5001/api/models/m_1\n',
  )
  expect(writePython(hostile, here)).toContain('"_rm_-rf_x.safetensors")')
})

test('a file name of signs only gives way to the id', () => {
  expect(writeCurl(model({ id: 'm_2', filename: '..' }), '')).toMatch(/^curl -o m_2 /)
})

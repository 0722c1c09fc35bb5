import { expect, test } from 'vitest'

import { declared, model } from '@/testing/samples'

import { writeCsv } from './csv'

test('names that a spreadsheet would compute are made harmless, and quotes are kept', () => {
  const rows = writeCsv([
    model({ name: '=HYPERLINK("http://x")', declared: declared({ tags: ['a', 'b'] }) }),
    model({ id: 'm_2', name: 'plain', parent_id: null, parent_name: null, confidence_score: null }),
  ]).split('\r\n')
  expect(rows).toHaveLength(4)
  expect(rows[0]).toMatch(/^id,name,family_id/)
  expect(rows[1]).toContain(`"'=HYPERLINK(""http://x"")"`)
  expect(rows[1]).toContain('"a, b"')
  expect(rows[2]).toMatch(/^m_2,plain,f_1,Family of base,,,finetune,,33802/)
})

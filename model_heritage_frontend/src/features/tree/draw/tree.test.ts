import { expect, test } from 'vitest'

import { edge, evidence, ghost, tree } from '@/testing/samples'

import { layoutTree } from '../layout'
import { chooseDetail } from './scene'
import { nodeCaption } from './words'

test('the further away, the less is written', () => {
  const layout = layoutTree(tree())
  const at = (scale: number) => chooseDetail(layout, scale)
  expect([1, 0.5, 0.1].map(at)).toEqual(['cards', 'names', 'dots'])
  expect(chooseDetail({ arrangement: 'rows', pitch: 27 }, 1)).toBe('names')
})

test('each kind of node has its caption', () => {
  const layout = layoutTree(
    tree({
      edges: [edge('base', 'left', 'unresolved', { confidence: 0.41, resolved: false })],
      ghosts: [ghost('right')],
    }),
  )
  const caption = (id: string) => {
    const node = layout.byId.get(id)
    return node ? nodeCaption(node) : null
  }
  expect(caption('base')).toBe('Root')
  expect(caption('left')).toBe('Unresolved · 41%')
  expect(caption('ghost-1')).toBe('Possible, 80% sure')
  expect(caption('right')).toBe('Child of a missing ancestor')
  expect(caption('mixed')).toBe('No parent here')
})

test('what somebody stated is not told as a measure', () => {
  const stated = edge('base', 'left', 'finetune', { evidence: evidence({ stated_by: 'Ann' }) })
  const left = layoutTree(tree({ edges: [stated] })).byId.get('left')
  expect(left && nodeCaption(left)).toBe('Fine-tune · stated')
})

import { expect, test } from 'vitest'

import { edge, model, tree } from '@/testing/samples'

import { pickNearest } from './pick'

const names = (picked: ReturnType<typeof pickNearest>) => picked.nodes.map((node) => node.id).sort()

test('a small family is kept whole, further parents included', () => {
  const picked = pickNearest(tree(), 20, 5)
  expect(picked.nodes).toHaveLength(5)
  expect(picked.edges).toHaveLength(5)
})

test('a broad family keeps the children with the most descendants', () => {
  const ids = ['root', 'a', 'b', 'c', 'd', 'd1', 'd2']
  const broad = tree({
    nodes: ids.map((id) => model({ id, name: id })),
    edges: [
      ...['a', 'b', 'c', 'd'].map((id) => edge('root', id)),
      edge('d', 'd1'),
      edge('d', 'd2'),
    ],
  })
  expect(names(pickNearest(broad, 20, 2))).toEqual(['a', 'd', 'd1', 'd2', 'root'])
  expect(names(pickNearest(broad, 3, 2))).toEqual(['a', 'd', 'root'])
})

test('no edge is left without its ends', () => {
  const picked = pickNearest(tree(), 3, 5)
  const kept = new Set(names(picked))
  for (const { parent, child } of picked.edges) {
    expect(kept.has(parent) && kept.has(child)).toBe(true)
  }
})

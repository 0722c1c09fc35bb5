import { expect, test } from 'vitest'

import { declared, edge, model, tree } from '@/testing/samples'

import { makeColouring } from './colouring'
import { layoutTree } from './layout'

const licences = ['mit', 'mit', 'apache-2.0', null, 'mit']
const layout = layoutTree(
  tree({
    nodes: ['base', 'left', 'left-lora', 'right', 'mixed'].map((name, index) =>
      model({
        id: name,
        name,
        created_at: `2026-11-1${index}T00:00:00Z`,
        declared: declared({ licence: licences[index] ?? null, tags: ['all', name] }),
      }),
    ),
    edges: [
      edge('base', 'left', 'finetune', { confidence: 0.995 }),
      edge('base', 'right', 'finetune', { confidence: 0.3 }),
      edge('left', 'left-lora', 'adapter', { confidence: 0.8 }),
    ],
  }),
)
const node = (id: string) => {
  const found = layout.byId.get(id)
  if (!found) throw new Error(`${id} is missing`)
  return found
}

test('the legend has what occurs, and no more', () => {
  const labels = (kind: Parameters<typeof makeColouring>[0]) =>
    makeColouring(kind, layout).legend.map((entry) => entry.label)
  expect(labels('relation')).toEqual(['Fine-tune', 'Adapter'])
  expect(labels('confidence')).toEqual(['99% and more', '75% to 90%', 'Below 50%'])
  expect(labels('licence')).toEqual(['mit', 'apache-2.0', 'No licence given'])
  expect(labels('tag')[0]).toBe('all')
  expect(labels('date')).toHaveLength(5)
})

test('the same value has the same colour, and each its own', () => {
  const byLicence = makeColouring('licence', layout)
  const colour = (id: string) => byLicence.of(node(id), node(id).edge)
  expect(colour('base')).toBe(colour('mixed'))
  expect(new Set(['base', 'left-lora', 'right'].map(colour)).size).toBe(3)
  const byDate = makeColouring('date', layout)
  expect(byDate.of(node('base'), null)).not.toBe(byDate.of(node('mixed'), null))
})

import { expect, test } from 'vitest'

import { model, tree } from '@/testing/samples'

import { chooseTicks } from './axis'
import { buildGenealogy } from './genealogy'
import { layoutGenealogy, ROOMY, type LayoutOptions, type TreeLayout } from './layout'
import { SHOW_ALL } from './visible'

const names = ['base', 'left', 'left-lora', 'right', 'mixed']
const days = [3, 1, 2, 4, 9]
const family = tree({
  nodes: names.map((name, index) =>
    model({ id: name, name, created_at: `2026-11-0${days[index]}T00:00:00Z` }),
  ),
})
const lay = (options: Partial<LayoutOptions>): TreeLayout =>
  layoutGenealogy(buildGenealogy(family), ROOMY, {
    axis: 'depth',
    radial: false,
    folding: SHOW_ALL,
    ...options,
  })
const x = (layout: TreeLayout, id: string) => layout.byId.get(id)?.x ?? Number.NaN

test('along a measure every node has a row of its own, a parent amid its children', () => {
  const layout = lay({ axis: 'distance' })
  const rows = [...layout.nodes].sort((a, b) => a.y - b.y).map((node) => node.id)
  expect(new Set(layout.nodes.map((node) => node.y)).size).toBe(5)
  expect(rows.indexOf('base')).toBe(2)
  expect(x(layout, 'base')).toBe(0)
  expect(x(layout, 'left-lora')).toBeCloseTo(2 * x(layout, 'left'))
})

test('along time a child can stand left of its parent', () => {
  const layout = lay({ axis: 'date' })
  expect(x(layout, 'left')).toBe(0)
  expect(x(layout, 'left')).toBeLessThan(x(layout, 'base'))
  expect(x(layout, 'mixed')).toBe(Math.max(...layout.nodes.map((node) => node.x)))
})

test('around the root each generation has its circle, and children stand together', () => {
  const layout = lay({ radial: true })
  const radius = (id: string) => {
    const node = layout.byId.get(id)
    return node ? Math.hypot(node.x, node.y) : Number.NaN
  }
  expect(radius('base')).toBe(0)
  expect(radius('left')).toBeCloseTo(radius('right'))
  expect(radius('mixed')).toBeCloseTo(2 * radius('right'))
  expect(layout.byId.get('left')?.angle).toBe(layout.byId.get('left-lora')?.angle)
})

test('ticks are round, and none where there is nothing to measure', () => {
  const labels = (layout: TreeLayout, most: number) =>
    chooseTicks(layout.axis, most).map((tick) => tick.label)
  expect(labels(lay({ axis: 'distance' }), 4)).toEqual(['0%', '2%', '4%', '6%'])
  expect(labels(lay({ axis: 'date' }), 8)).toContain('Nov 5')
  expect(labels(lay({}), 4)).toEqual([])
})

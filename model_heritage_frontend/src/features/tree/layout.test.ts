import { expect, test } from 'vitest'

import { edge, ghost, model, tree } from '@/testing/samples'

import { COMPACT, findKin, findNodeAt, layoutTree, ROOMY, stepFrom } from './layout'
import { chooseColumnGap } from './place'

test('the root is left, each generation one column further right, and no boxes overlap', () => {
  const layout = layoutTree(tree())
  const at = (id: string) => layout.byId.get(id)
  expect(at('base')).toMatchObject({ depth: 0, x: 0 })
  expect(at('left')?.x).toBe(at('right')?.x)
  expect(at('left-lora')?.depth).toBe(2)
  for (const a of layout.nodes) {
    for (const b of layout.nodes) {
      if (a === b) continue
      const apart =
        Math.abs(a.x - b.x) >= ROOMY.width || Math.abs(a.y - b.y) >= ROOMY.height + ROOMY.rowGap
      expect(apart, `${a.id} and ${b.id}`).toBe(true)
    }
  }
})

test('n models have n - 1 main links; further merge parents are extra', () => {
  const { links, nodes } = layoutTree(tree())
  expect(links.filter((link) => link.main)).toHaveLength(nodes.length - 1)
  expect(links.filter((link) => !link.main).map((link) => link.source.id)).toEqual(['left'])
})

test('a ghost stands above its children, and several tops are all kept', () => {
  const forest = tree({
    root_id: null,
    edges: tree().edges.filter((edge) => edge.parent !== 'base'),
    ghosts: [ghost('left', 'right')],
  })
  const layout = layoutTree(forest)
  expect(layout.byId.get('left')?.parent?.id).toBe('ghost-1')
  expect(layout.byId.get('left')?.edge).toBeNull()
  expect(layout.nodes.filter((node) => !node.parent).map((node) => node.id)).toEqual([
    'base',
    'ghost-1',
  ])
})

test('a ghost stands below the nearest ancestor that is here', () => {
  const edges = tree().edges.filter((edge) => edge.parent !== 'base')
  const layout = layoutTree(
    tree({ edges, ghosts: [{ ...ghost('left', 'right'), parent: 'base' }] }),
  )
  expect(layout.byId.get('ghost-1')?.parent?.id).toBe('base')
  expect(layout.nodes.filter((node) => !node.parent).map((node) => node.id)).toEqual(['base'])
})

test('the given data are not changed and the layout does not depend on their order', () => {
  const given = tree()
  const copy = structuredClone(given)
  const first = layoutTree(given, COMPACT)
  expect(given).toEqual(copy)
  const second = layoutTree(
    { ...given, nodes: [...given.nodes].reverse(), edges: [...given.edges].reverse() },
    COMPACT,
  )
  for (const node of first.nodes) {
    expect(second.byId.get(node.id)).toMatchObject({ x: node.x, y: node.y })
  }
})

test('an empty family has an empty layout', () => {
  const layout = layoutTree(tree({ nodes: [], edges: [] }))
  expect(layout.nodes).toEqual([])
  expect(layout.bounds).toEqual({ left: 0, top: 0, right: 0, bottom: 0 })
})

test('kin are ancestors, descendants and merge partners, but not siblings', () => {
  const layout = layoutTree(tree())
  expect([...findKin(layout, 'left')].sort()).toEqual(['base', 'left', 'left-lora', 'mixed'])
  expect(findKin(layout, 'right').has('left')).toBe(false)
})

test('arrow keys lead to parent, child and neighbours, and stop at the ends', () => {
  const layout = layoutTree(tree())
  expect(stepFrom(layout, 'left', 'parent')?.id).toBe('base')
  expect(stepFrom(layout, 'left', 'child')?.id).toBe('left-lora')
  expect(stepFrom(layout, 'left', 'next')?.id).toBe('right')
  expect(stepFrom(layout, 'left', 'previous')).toBeNull()
  expect(stepFrom(layout, 'base', 'parent')).toBeNull()
})

test('a point finds the box it lies in', () => {
  const layout = layoutTree(tree())
  const left = layout.byId.get('left')
  if (!left) throw new Error('left is missing')
  expect(findNodeAt(layout, left.x + 20, left.y - 5, { cards: true, slack: 0 })?.id).toBe('left')
  expect(findNodeAt(layout, left.x, left.y + ROOMY.height, { cards: true, slack: 0 })).toBeNull()
})

test('columns of a tall family move apart, within bounds', () => {
  expect(chooseColumnGap(3, 3, ROOMY)).toBe(ROOMY.columnGap)
  expect(chooseColumnGap(5000, 3, ROOMY)).toBe(ROOMY.widestGap)
})

test('the time for many models grows with their number, not with its square', () => {
  // How long it takes is measured by the bench of the tree; quadratic work would take minutes.
  const nodes = Array.from({ length: 5000 }, (_, index) =>
    model({ id: `m${index}`, name: `m${index}` }),
  )
  const edges = nodes.slice(1).map((node, index) => edge(`m${Math.floor(index / 3)}`, node.id))
  const start = performance.now()
  expect(layoutTree(tree({ nodes, edges })).nodes).toHaveLength(5000)
  expect(performance.now() - start).toBeLessThan(10_000)
})

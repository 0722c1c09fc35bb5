import { expect, test } from 'vitest'

import { edge, ghost, model, tree } from '@/testing/samples'

import { buildGenealogy, sortKey } from './genealogy'
import { layoutGenealogy, ROOMY } from './layout'
import { chooseOpen, listRows } from './rows'
import { chooseVisible, findAncestors, groupParent, SHOW_ALL } from './visible'

/** base ── star ── 80 leaves; base ── other */
const wide = () => {
  const leaves = Array.from({ length: 80 }, (_, index) => `leaf-${index}`)
  return buildGenealogy(
    tree({
      nodes: ['base', 'star', 'other', ...leaves].map((name) => model({ id: name, name })),
      edges: [
        edge('base', 'star'),
        edge('base', 'other'),
        ...leaves.map((leaf) => edge('star', leaf)),
      ],
    }),
  )
}
const GROUPED = { ...SHOW_ALL, allSiblings: false }

test('a large group of siblings stands behind a "+72", but never who is chosen', () => {
  const genealogy = wide()
  const star = chooseVisible(genealogy, { ...GROUPED, kept: new Set(['leaf-70']) })[0]?.children[1]
  expect(star?.id).toBe('star')
  expect(star?.children).toHaveLength(10)
  expect(star?.children.map((node) => node.id)).toContain('leaf-70')
  const group = star?.children.at(-1)
  expect(group).toMatchObject({ name: '+71', model: null })
  expect(group && groupParent(group.id)).toBe('star')
  const opened = chooseVisible(genealogy, { ...GROUPED, opened: new Set(['star']) })
  expect(opened[0]?.children[1]?.children).toHaveLength(80)
})

test('small families are never grouped', () => {
  const small = buildGenealogy(tree())
  const layout = layoutGenealogy(small, ROOMY, { axis: 'depth', radial: false, folding: GROUPED })
  expect(layout.nodes.some((node) => node.more)).toBe(false)
})

test('what is folded away is counted where it was, and its edges go with it', () => {
  const genealogy = buildGenealogy(tree())
  const layout = layoutGenealogy(genealogy, ROOMY, {
    axis: 'depth',
    radial: false,
    folding: { ...SHOW_ALL, folded: new Set(['left']) },
  })
  expect(layout.byId.get('left')).toMatchObject({ folded: 1, below: 1 })
  expect(layout.byId.has('left-lora')).toBe(false)
  expect(layout.links).toHaveLength(4)
})

test('a branch can be shown alone', () => {
  const tops = chooseVisible(buildGenealogy(tree()), { ...SHOW_ALL, focus: 'right' })
  expect(tops.map((node) => node.id)).toEqual(['right'])
  expect(tops[0]?.depth).toBe(0)
})

test('distances add up along a line, through ghosts too', () => {
  const genealogy = buildGenealogy(
    tree({ edges: [edge('left', 'left-lora', 'adapter')], ghosts: [ghost('left', 'right')] }),
  )
  expect(genealogy.byId.get('left')?.distance).toBeCloseTo(0.1)
  expect(genealogy.byId.get('left-lora')?.distance).toBeCloseTo(0.131)
  expect([...findAncestors(genealogy, 'left-lora')]).toEqual(['left', 'ghost-1'])
})

test('numbers in names sort by value', () => {
  expect(['b-10', 'B-9', 'a'].sort((x, y) => (sortKey(x) < sortKey(y) ? -1 : 1))).toEqual([
    'a',
    'B-9',
    'b-10',
  ])
})

test('the list gives each row its level and place among siblings, and hides what is closed', () => {
  const genealogy = buildGenealogy(tree())
  const rows = listRows(genealogy, chooseOpen(genealogy))
  expect(
    rows.map((row) => `${row.member.id} ${row.level} ${row.position}/${row.siblings}`),
  ).toEqual(['base 1 1/1', 'left 2 1/2', 'left-lora 3 1/1', 'right 2 2/2', 'mixed 3 1/1'])
  expect(listRows(genealogy, new Set(['base']))).toHaveLength(3)
})

import { expect, test } from 'vitest'

import { edge, model, tree } from '@/testing/samples'

import type { Camera } from '../camera'
import { buildGenealogy } from '../genealogy'
import { layoutGenealogy, layoutTree, ROOMY, type TreeLayout } from '../layout'
import { SHOW_ALL } from '../visible'
import { traceLink, WHOLE } from './trace'

/** Notes where a pen goes. */
function makePen() {
  const points: [number, number][] = []
  const note = (...numbers: number[]) => {
    points.push([numbers.at(-2) ?? 0, numbers.at(-1) ?? 0])
  }
  return { points, moveTo: note, lineTo: note, bezierCurveTo: note, quadraticCurveTo: note }
}

const leaves = Array.from({ length: 400 }, (_, index) => `leaf-${index}`)
const star = tree({
  nodes: ['base', ...leaves].map((name) => model({ id: name, name })),
  edges: leaves.map((leaf) => edge('base', leaf)),
})

function trace(layout: TreeLayout, camera: Camera, index: number) {
  const pen = makePen()
  const link = layout.links[index]
  if (!link) throw new Error('no such link')
  traceLink(pen, link, layout, camera, true)
  return pen.points
}

test('an edge begins at its parent and ends at its child', () => {
  const layout = layoutTree(star)
  const [first, last] = [trace(layout, WHOLE, 0)[0], trace(layout, WHOLE, 0).at(-1)]
  const { source, target } = layout.links[0] ?? {}
  expect(first).toEqual([(source?.x ?? 0) + ROOMY.width / 2, source?.y])
  expect(last).toEqual([(target?.x ?? 0) - ROOMY.width / 2, target?.y])
})

test('of an edge many screens long, only what is near the window is traced', () => {
  const layout = layoutTree(star)
  const camera = { scaleX: 1, scale: 1, left: 0, top: 3000, width: 800, height: 600 }
  const points = trace(layout, camera, 0)
  expect(points.length).toBeGreaterThan(4)
  expect(Math.min(...points.map(([, y]) => y))).toBeGreaterThan(-100)
  expect(Math.max(...points.map(([, y]) => y))).toBeLessThan(700)
  // The traced part lies on the curve: at half the height, half the way across.
  const { source, target } = layout.links[0] ?? {}
  if (!source || !target) throw new Error('no link')
  const middle = (source.y + target.y) / 2
  const centred = trace(layout, { ...camera, top: 300 - middle }, 0)
  const nearest = centred.reduce((a, b) => (Math.abs(b[1] - 300) < Math.abs(a[1] - 300) ? b : a))
  expect(nearest[0]).toBeCloseTo((source.x + target.x) / 2, 0)
})

test('elbows and rays stay near the window too', () => {
  for (const options of [
    { axis: 'date', radial: false },
    { axis: 'depth', radial: true },
  ] as const) {
    const layout = layoutGenealogy(buildGenealogy(star), ROOMY, { ...options, folding: SHOW_ALL })
    const camera = { scaleX: 40, scale: 40, left: 400, top: 300, width: 800, height: 600 }
    layout.links.forEach((_, index) => {
      for (const [, y] of trace(layout, camera, index)) expect(Math.abs(y - 300)).toBeLessThan(5000)
    })
  }
})

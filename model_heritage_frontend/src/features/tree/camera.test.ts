import { expect, test } from 'vitest'

import {
  centreCamera,
  fitCamera,
  mixCameras,
  panCamera,
  toDrawing,
  toScreen,
  zoomAt,
} from './camera'

const SIZE = { width: 1000, height: 600 }
const TALL = {
  arrangement: 'columns' as const,
  bounds: { left: 0, right: 2000, top: 0, bottom: 60_000 },
}
const SMALL = {
  arrangement: 'columns' as const,
  bounds: { left: -100, right: 300, top: 0, bottom: 200 },
}

test('a small drawing keeps its size, in the middle', () => {
  const camera = fitCamera(SMALL, SIZE)
  expect(camera).toMatchObject({ scale: 1, scaleX: 1 })
  expect(toScreen(camera, { x: 100, y: 100 }).y).toBe(300)
})

test('a tall drawing fills the width too: each direction has its scale', () => {
  const camera = fitCamera(TALL, SIZE)
  const first = toScreen(camera, { x: 0, y: 0 })
  const last = toScreen(camera, { x: 2000, y: 60_000 })
  expect(last.y - first.y).toBeLessThan(600)
  expect(last.x - first.x).toBeGreaterThan(800)
  expect(last.x).toBeLessThan(1000)
  const radial = fitCamera({ ...TALL, arrangement: 'radial' }, SIZE)
  expect(radial.scaleX).toBe(radial.scale)
})

test('what is under the pointer stays there, and what is across waits for what is down', () => {
  let camera = fitCamera(TALL, SIZE)
  const under = toDrawing(camera, 700, 150)
  const across = camera.scaleX
  camera = zoomAt(camera, TALL, camera.scale * 8, 700, 150)
  expect(camera.scaleX).toBe(across)
  camera = zoomAt(camera, TALL, 1, 700, 150)
  expect(camera).toMatchObject({ scale: 1, scaleX: 1 })
  expect(toScreen(camera, under).x).toBeCloseTo(700)
  expect(toScreen(camera, under).y).toBeCloseTo(150)
})

test('zooming stops at the whole, and where nothing more is to be seen', () => {
  const whole = fitCamera(TALL, SIZE)
  expect(zoomAt(whole, TALL, 1e-9, 0, 0).scale).toBeCloseTo(whole.scale)
  expect(zoomAt(whole, TALL, 99, 0, 0).scale).toBe(2.5)
})

test('a flight begins and ends where it should, and panning moves as far as the pointer', () => {
  const from = fitCamera(TALL, SIZE)
  const to = centreCamera(from, TALL, { x: 50, y: 40_000 }, 0.8)
  expect(toScreen(to, { x: 50, y: 40_000 })).toEqual({ x: 500, y: 300 })
  expect(mixCameras(from, to, 0).top).toBeCloseTo(from.top)
  expect(mixCameras(from, to, 1)).toEqual(to)
  const halfway = mixCameras(from, to, 0.5)
  expect(halfway.scale).toBeCloseTo(Math.sqrt(from.scale * to.scale))
  expect(panCamera(to, 30, -7).left).toBe(to.left + 30)
})

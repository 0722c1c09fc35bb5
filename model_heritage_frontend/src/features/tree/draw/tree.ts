import { drawGrid } from './grid'
import { drawLinks } from './links'
import { drawNodes } from './nodes'
import type { Camera } from '../camera'
import { makeView, type DrawState, type Scene } from './scene'

/** Paints a family. What is outside the view is skipped: a frame costs what it shows. */
export function drawTree(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  camera: Camera,
  state: DrawState,
): void {
  const view = makeView(scene.layout, camera)
  drawGrid(ctx, scene, view)
  drawLinks(ctx, scene, view, state)
  drawNodes(ctx, scene, view, state)
}

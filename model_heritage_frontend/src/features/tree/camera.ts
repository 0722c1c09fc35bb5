import type { Bounds, TreeLayout } from './layout'

/**
 * Where a drawing stands on the screen: screen = (x * scaleX + left, y * scale + top), in CSS pixels.
 *
 * A family of thousands is hundreds of screens tall and a few wide. So the two directions have scales
 * of their own: what is across begins fitted, and grows only when what is down has caught up.
 */
export interface Camera {
  scaleX: number
  scale: number
  left: number
  top: number
  width: number
  height: number
}

type Drawing = Pick<TreeLayout, 'bounds' | 'arrangement'>

interface Size {
  width: number
  height: number
}

export const MOST_SCALE = 2.5
const LEAST_SCALE = 0.0005

interface Room {
  beside: number
  right: number
}

/** Free space at the edges; at the right, the buttons stand. */
function chooseRoom({ width }: Size): Room {
  if (width < 300) return { beside: 6, right: 6 }
  return width < 480 ? { beside: 14, right: 14 } : { beside: 28, right: 60 }
}

/** What fits a drawing into the box, never magnified beyond its natural size. */
function fitScales({ bounds, arrangement }: Drawing, size: Size) {
  const { beside, right } = chooseRoom(size)
  const across = (size.width - beside - right) / Math.max(bounds.right - bounds.left, 1)
  const down = (size.height - 2 * beside) / Math.max(bounds.bottom - bounds.top, 1)
  const scale = Math.max(Math.min(1, across, down), LEAST_SCALE)
  const least = arrangement === 'radial' ? scale : Math.min(1, across)
  return { scale, scaleX: Math.max(scale, least) }
}

const middle = ({ left, right, top, bottom }: Bounds) => ({
  x: (left + right) / 2,
  y: (top + bottom) / 2,
})

export function fitCamera(drawing: Drawing, size: Size): Camera {
  const scales = fitScales(drawing, size)
  const { beside, right } = chooseRoom(size)
  const centre = middle(drawing.bounds)
  return {
    ...scales,
    left: (size.width + beside - right) / 2 - centre.x * scales.scaleX,
    top: size.height / 2 - centre.y * scales.scale,
    ...{ width: size.width, height: size.height },
  }
}

/** The scale across that goes with a scale down. */
function scaleAcross(drawing: Drawing, size: Size, scale: number): number {
  return drawing.arrangement === 'radial' ? scale : Math.max(scale, fitScales(drawing, size).scaleX)
}

/** Zooms to a scale; the point of the drawing under (x, y) of the screen stays there. */
export function zoomAt(
  camera: Camera,
  drawing: Drawing,
  wanted: number,
  x: number,
  y: number,
): Camera {
  const least = Math.min(fitScales(drawing, camera).scale, 0.5)
  const scale = Math.min(Math.max(wanted, least), MOST_SCALE)
  const scaleX = scaleAcross(drawing, camera, scale)
  return {
    ...camera,
    scale,
    scaleX,
    left: x - ((x - camera.left) / camera.scaleX) * scaleX,
    top: y - ((y - camera.top) / camera.scale) * scale,
  }
}

/** Puts a point of the drawing into the middle of the screen. */
export function centreCamera(
  camera: Camera,
  drawing: Drawing,
  point: { x: number; y: number },
  wanted: number,
): Camera {
  const scale = Math.min(wanted, MOST_SCALE)
  const scaleX = scaleAcross(drawing, camera, scale)
  return {
    ...camera,
    scale,
    scaleX,
    left: camera.width / 2 - point.x * scaleX,
    top: camera.height / 2 - point.y * scale,
  }
}

export const panCamera = (camera: Camera, across: number, down: number): Camera => ({
  ...camera,
  left: camera.left + across,
  top: camera.top + down,
})

export const toScreen = (camera: Camera, { x, y }: { x: number; y: number }) => ({
  x: x * camera.scaleX + camera.left,
  y: y * camera.scale + camera.top,
})

export const toDrawing = (camera: Camera, x: number, y: number) => ({
  x: (x - camera.left) / camera.scaleX,
  y: (y - camera.top) / camera.scale,
})

/** Between two cameras: scales by their ratio, so that a flight is even. */
export function mixCameras(a: Camera, b: Camera, share: number): Camera {
  if (share >= 1) return b
  const even = (from: number, to: number) => from * (to / from) ** share
  const scale = even(a.scale, b.scale)
  const scaleX = even(a.scaleX, b.scaleX)
  const from = toDrawing(a, a.width / 2, a.height / 2)
  const to = toDrawing(b, b.width / 2, b.height / 2)
  return {
    ...b,
    scale,
    scaleX,
    left: b.width / 2 - (from.x + (to.x - from.x) * share) * scaleX,
    top: b.height / 2 - (from.y + (to.y - from.y) * share) * scale,
  }
}

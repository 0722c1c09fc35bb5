import type { Camera } from '../camera'
import { dotX, type TreeLayout, type TreeLink } from '../layout'

/** The way of an edge on the screen. */

export type Pen = Pick<CanvasPath, 'moveTo' | 'lineTo' | 'bezierCurveTo' | 'quadraticCurveTo'>

/** A window without end: nothing is left out, as in a picture of the whole. */
export const WHOLE: Camera = {
  scaleX: 1,
  scale: 1,
  left: 0,
  top: 0,
  width: Infinity,
  height: Infinity,
}

/** Beyond the window's edges, in pixels, nothing needs to be traced. */
const MARGIN = 60
const PARTS = 12

/** Where an edge begins and ends, in the layout's units. */
export function findEnds(
  { source, target }: TreeLink,
  layout: TreeLayout,
  cards: boolean,
): readonly [from: number, to: number] {
  const half = layout.size.width / 2
  return cards ? [source.x + half, target.x - half] : [dotX(source, layout), dotX(target, layout)]
}

/**
 * Traces one edge. Zoomed in, edges of a large family are hundreds of screens long, and drawing them
 * whole (worse, dash by dash) would take most of a frame: only what is near the window is traced.
 */
export function traceLink(
  pen: Pen,
  link: TreeLink,
  layout: TreeLayout,
  camera: Camera,
  cards: boolean,
): void {
  const [from, to] = findEnds(link, layout, cards)
  const x0 = from * camera.scaleX + camera.left
  const x1 = to * camera.scaleX + camera.left
  const y0 = link.source.y * camera.scale + camera.top
  const y1 = link.target.y * camera.scale + camera.top
  if (layout.arrangement === 'columns' && to <= from) {
    traceAround(pen, cards ? [x0, x1 + layout.size.width * camera.scaleX] : [x0, x1], y0, y1, cards)
  } else if (layout.arrangement === 'radial') traceRadial(pen, link, camera, [x0, y0, x1, y1])
  else if (layout.arrangement === 'rows') traceElbow(pen, x0, y0, x1, y1, camera)
  else traceCurve(pen, x0, y0, x1, y1, camera)
}

/** To a parent's own or an earlier column: around the cards that stand between, not through them. */
function traceAround(
  pen: Pen,
  [x0, x1]: readonly [number, number],
  y0: number,
  y1: number,
  cards: boolean,
): void {
  const away = Math.min(18 + Math.abs(y1 - y0) * 0.18, 60)
  // At the right of cards, at the left of dots, whose names are at their right.
  const bend = cards ? Math.max(x0, x1) + away : Math.min(x0, x1) - away
  pen.moveTo(x0, y0)
  pen.bezierCurveTo(bend, y0, bend, y1, x1, y1)
}

/** The t for which 3t² - 2t³ is a share: how far along a curve it has come that far down. */
const invertSmooth = (share: number): number =>
  0.5 - Math.sin(Math.asin(1 - 2 * Math.min(Math.max(share, 0), 1)) / 3)

function traceCurve(
  pen: Pen,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  { height }: Camera,
): void {
  const middle = (x0 + x1) / 2
  const down = y1 - y0
  // A curve within a few pixels is a line, which costs a fraction of it.
  if (Math.abs(down) < 3) {
    pen.moveTo(x0, y0)
    pen.lineTo(x1, y1)
    return
  }
  if (Math.abs(down) < 2 * height) {
    pen.moveTo(x0, y0)
    pen.bezierCurveTo(middle, y0, middle, y1, x1, y1)
    return
  }
  const low = invertSmooth((-MARGIN - y0) / down)
  const high = invertSmooth((height + MARGIN - y0) / down)
  const begin = Math.min(low, high)
  const step = (Math.max(low, high) - begin) / PARTS
  for (let part = 0; part <= PARTS; part += 1) {
    const t = begin + part * step
    const smooth = t * t * (3 - 2 * t)
    const across = (1 - t) ** 3 * x0 + 3 * t * (1 - t) * middle + t ** 3 * x1
    if (part === 0) pen.moveTo(across, y0 + down * smooth)
    else pen.lineTo(across, y0 + down * smooth)
  }
}

/** Down (or up) at the parent's place, then across, with a round corner where there is room. */
function traceElbow(
  pen: Pen,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  { width, height }: Camera,
): void {
  const across = x1 - x0
  const down = y1 - y0
  const corner = Math.min(8, Math.abs(across), Math.abs(down))
  const limit = (value: number, most: number) => Math.min(Math.max(value, -MARGIN), most + MARGIN)
  pen.moveTo(x0, limit(y0, height))
  if (corner < 1) pen.lineTo(x0, limit(y1, height))
  else {
    pen.lineTo(x0, limit(y1 - Math.sign(down) * corner, height))
    pen.quadraticCurveTo(x0, limit(y1, height), x0 + Math.sign(across) * corner, limit(y1, height))
  }
  pen.lineTo(across < 0 ? x1 : Math.min(x1, Math.max(width + MARGIN, x0)), limit(y1, height))
}

type Ends = [x0: number, y0: number, x1: number, y1: number]

function traceRadial(
  pen: Pen,
  { source, target }: TreeLink,
  { scale, left, top, width, height }: Camera,
  [x0, y0, x1, y1]: Ends,
): void {
  const inner = Math.hypot(source.x, source.y)
  const radius = ((inner + Math.hypot(target.x, target.y)) / 2) * scale
  // Out of the centre it is a straight line.
  const from = inner === 0 ? target.angle : source.angle
  const a = { x: radius * Math.cos(from) + left, y: radius * Math.sin(from) + top }
  const b = { x: radius * Math.cos(target.angle) + left, y: radius * Math.sin(target.angle) + top }
  if (Math.abs(x1 - x0) + Math.abs(y1 - y0) < 2 * (width + height)) {
    pen.moveTo(x0, y0)
    if (inner === 0) pen.lineTo(x1, y1)
    else pen.bezierCurveTo(a.x, a.y, b.x, b.y, x1, y1)
    return
  }
  const at = (t: number) => {
    const u = 1 - t
    return {
      x: u ** 3 * x0 + 3 * u * u * t * a.x + 3 * u * t * t * b.x + t ** 3 * x1,
      y: u ** 3 * y0 + 3 * u * u * t * a.y + 3 * u * t * t * b.y + t ** 3 * y1,
    }
  }
  const coarse = 4 * PARTS
  for (let part = 0; part < coarse; part += 1) {
    const begin = at(part / coarse)
    const end = at((part + 1) / coarse)
    const seen =
      Math.max(begin.x, end.x) > -MARGIN &&
      Math.min(begin.x, end.x) < width + MARGIN &&
      Math.max(begin.y, end.y) > -MARGIN &&
      Math.min(begin.y, end.y) < height + MARGIN
    if (!seen) continue
    pen.moveTo(begin.x, begin.y)
    for (let piece = 1; piece <= 4; piece += 1) {
      const point = at((part + piece / 4) / coarse)
      pen.lineTo(point.x, point.y)
    }
  }
}

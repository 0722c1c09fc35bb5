import type { Camera } from '../camera'
import { dotX, type TreeLayout, type TreeLink } from '../layout'
import type { DrawState, Scene, View } from './scene'

/** Edges: coloured by the colouring, wider where surer, dashed where not the main parent. */

type Pen = Pick<CanvasPath, 'moveTo' | 'lineTo' | 'bezierCurveTo' | 'quadraticCurveTo'>

type Place = Pick<Camera, 'scale' | 'scaleX' | 'left' | 'top'>

/** Where an edge begins and ends, in the layout's units. */
function findEnds({ source, target }: TreeLink, layout: TreeLayout, cards: boolean) {
  const half = layout.size.width / 2
  return cards
    ? ([source.x + half, target.x - half] as const)
    : ([dotX(source, layout), dotX(target, layout)] as const)
}

/** Traces one edge on the screen. */
export function traceLink(
  pen: Pen,
  link: TreeLink,
  layout: TreeLayout,
  place: Place,
  cards: boolean,
): void {
  const ends = findEnds(link, layout, cards)
  const { scale, scaleX, left, top } = place
  const x0 = ends[0] * scaleX + left
  const x1 = ends[1] * scaleX + left
  const y0 = link.source.y * scale + top
  const y1 = link.target.y * scale + top
  pen.moveTo(x0, y0)
  if (layout.arrangement === 'radial') traceRadial(pen, link, place, x1, y1)
  else if (layout.arrangement === 'rows') traceElbow(pen, x0, y0, x1, y1)
  // A curve within a few pixels is a line, which costs a fraction of it.
  else if (Math.abs(y1 - y0) < 3) pen.lineTo(x1, y1)
  else {
    const middle = (x0 + x1) / 2
    pen.bezierCurveTo(middle, y0, middle, y1, x1, y1)
  }
}

function traceRadial(
  pen: Pen,
  { source, target }: TreeLink,
  { scale, left, top }: Place,
  x1: number,
  y1: number,
): void {
  const inner = Math.hypot(source.x, source.y)
  if (inner === 0) {
    pen.lineTo(x1, y1)
    return
  }
  const radius = ((inner + Math.hypot(target.x, target.y)) / 2) * scale
  pen.bezierCurveTo(
    radius * Math.cos(source.angle) + left,
    radius * Math.sin(source.angle) + top,
    radius * Math.cos(target.angle) + left,
    radius * Math.sin(target.angle) + top,
    x1,
    y1,
  )
}

/** Down (or up) at the parent's place, then across, with a round corner where there is room. */
function traceElbow(pen: Pen, x0: number, y0: number, x1: number, y1: number): void {
  const across = x1 - x0
  const down = y1 - y0
  const corner = Math.min(8, Math.abs(across), Math.abs(down))
  if (corner < 1) pen.lineTo(x0, y1)
  else {
    pen.lineTo(x0, y1 - Math.sign(down) * corner)
    pen.quadraticCurveTo(x0, y1, x0 + Math.sign(across) * corner, y1)
  }
  pen.lineTo(x1, y1)
}

/** How strong something is drawn while another model's kin stand out. */
export const strength = (strong: boolean): number => (strong ? 1 : 0.25)

/** Edges by their two pixels, in a table of fixed size that may forget but never errs. */
const SLOTS = 1 << 16
const drawn = new Float64Array(SLOTS)

/**
 * Whether an edge between the same two pixels is drawn already: from afar, hundreds of siblings
 * share a pixel, and drawing one of them looks the same.
 */
function isDrawn(x0: number, y0: number, x1: number, y1: number, style: number): boolean {
  const key =
    ((((x0 & 4095) * 4096 + (y0 & 4095)) * 4096 + (x1 & 4095)) * 4096 + (y1 & 4095)) * 32 +
    (style & 31)
  const slot =
    (Math.imul(x0, 73856093) ^
      Math.imul(y0, 19349663) ^
      Math.imul(x1, 83492791) ^
      Math.imul(y1, 265443576) ^
      style) &
    (SLOTS - 1)
  if (drawn[slot] === key) return true
  drawn[slot] = key
  return false
}

/** Whether any of an edge may be within the view. */
const touches = ({ source, target }: TreeLink, box: View['box']): boolean =>
  (source.x <= box.right || target.x <= box.right) &&
  (source.x >= box.left || target.x >= box.left) &&
  (source.y <= box.bottom || target.y <= box.bottom) &&
  (source.y >= box.top || target.y >= box.top)

/** Draws the edges in view: those that look alike share one path, stroked many times faster. */
export function drawLinks(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  view: View,
  { kin }: DrawState,
): void {
  const { layout, styles } = scene
  const { scale, scaleX, left, top } = view
  const cards = view.detail === 'cards'
  const dots = view.detail === 'dots'
  const strong: (Path2D | undefined)[] = []
  const faint: (Path2D | undefined)[] = []
  drawn.fill(-1)
  layout.links.forEach((link, index) => {
    if (!touches(link, view.box)) return
    const { source, target } = link
    const style = scene.styleOf[index] ?? 0
    if (
      dots &&
      isDrawn(
        Math.round(source.x * scaleX + left),
        Math.round(source.y * scale + top),
        Math.round(target.x * scaleX + left),
        Math.round(target.y * scale + top),
        style,
      )
    ) {
      return
    }
    const paths = !kin || (kin.has(source.id) && kin.has(target.id)) ? strong : faint
    const path = (paths[style] ??= new Path2D())
    traceLink(path, link, layout, view, cards)
  })
  const stroke = (paths: (Path2D | undefined)[], share: number) => {
    paths.forEach((path, index) => {
      const style = styles[index]
      if (!path || !style) return
      ctx.globalAlpha = style.alpha * share * (dots ? 0.7 : 1)
      ctx.strokeStyle = style.colour
      ctx.lineWidth = dots ? Math.max(style.width * 0.6, 1) : style.width
      ctx.setLineDash(style.dash)
      ctx.stroke(path)
    })
  }
  stroke(faint, strength(false))
  stroke(strong, 1)
  ctx.setLineDash([])
  ctx.globalAlpha = 1
  if (!dots) markStated(ctx, scene, view)
}

/** A diamond halfway along what somebody stated, so that it stands out from what was measured. */
function markStated(ctx: CanvasRenderingContext2D, { layout, palette }: Scene, view: View): void {
  const half = 5
  for (const link of layout.links) {
    if (link.edge?.evidence.stated_by == null || !touches(link, view.box)) continue
    const [x0, x1] = findEnds(link, layout, view.detail === 'cards')
    const across = ((x0 + x1) / 2) * view.scaleX + view.left
    const middle =
      layout.arrangement === 'rows' ? link.target.y : (link.source.y + link.target.y) / 2
    const down = middle * view.scale + view.top
    ctx.beginPath()
    ctx.moveTo(across, down - half)
    ctx.lineTo(across + half, down)
    ctx.lineTo(across, down + half)
    ctx.lineTo(across - half, down)
    ctx.closePath()
    ctx.fillStyle = palette.foreground
    ctx.fill()
    ctx.lineWidth = 2
    ctx.strokeStyle = palette.background
    ctx.stroke()
  }
}

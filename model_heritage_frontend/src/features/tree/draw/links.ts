import type { TreeLink } from '../layout'
import type { DrawState, Scene, View } from './scene'
import { findEnds, traceLink } from './trace'

/** Edges: coloured by the colouring, wider where surer, dashed where not the main parent. */

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
      ctx.lineWidth = Math.max(style.width * (dots ? 0.6 : Math.min(scale + 0.2, 1)), 1)
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

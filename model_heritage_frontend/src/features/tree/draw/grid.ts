import { chooseTicks } from '../axis'
import type { Scene, View } from './scene'

/** Room between two labels, in pixels. */
const LABEL = 96

/** The scale behind a tree whose way from the root is a measure. */
export function drawGrid(ctx: CanvasRenderingContext2D, { layout, palette }: Scene, view: View) {
  const { axis, arrangement } = layout
  if (axis.kind === 'depth' || axis.unit === 0) return
  const pixels = (axis.to - axis.from) * axis.unit * view.scaleX
  const ticks = chooseTicks(axis, Math.min(Math.floor(pixels / LABEL), 60))
  ctx.strokeStyle = palette.border
  ctx.fillStyle = palette.muted
  ctx.lineWidth = 1
  ctx.font = `400 11px ${palette.font}`
  ctx.textBaseline = 'alphabetic'
  for (const { value, label } of ticks) {
    const place = (axis.start + (value - axis.from) * axis.unit) * view.scaleX
    ctx.globalAlpha = 0.6
    ctx.beginPath()
    if (arrangement === 'radial') {
      ctx.arc(view.left, view.top, Math.max(place, 0), 0, Math.PI * 2)
      ctx.stroke()
      ctx.globalAlpha = 1
      ctx.fillText(label, view.left + 4, view.top - place - 4)
      continue
    }
    const x = Math.round(place + view.left) + 0.5
    if (x < -LABEL || x > view.width) continue
    ctx.moveTo(x, 0)
    ctx.lineTo(x, view.height - 20)
    ctx.stroke()
    ctx.globalAlpha = 1
    ctx.fillText(label, x + 4, view.height - 8)
  }
  ctx.globalAlpha = 1
}

import { formatNumber } from '@/lib/format'

import { dotX, type TreeNode } from '../layout'
import { strength } from './links'
import type { DrawState, Scene, View } from './scene'
import { fitText, measure } from './text'
import { nodeCaption } from './words'

/** Nodes: cards, dots with names, or dots. All in screen pixels, so that text keeps its size. */

const DOT = 4.5
const TAU = Math.PI * 2
const NAME = 11.5

const isMarked = (node: TreeNode, { selected, hovered, target }: DrawState): boolean =>
  node.id === selected || node.id === hovered || node.id === target

function fillDot(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  x: number,
  y: number,
  radius: number,
  colour: string,
  scene: Scene,
): void {
  ctx.beginPath()
  ctx.arc(x, y, radius, 0, TAU)
  if (node.ghost || node.more) {
    ctx.fillStyle = scene.palette.card
    ctx.fill()
    ctx.strokeStyle = scene.palette.ghost
    ctx.lineWidth = 1.5
    ctx.setLineDash(node.ghost ? [3, 2] : [])
    ctx.stroke()
    ctx.setLineDash([])
  } else {
    ctx.fillStyle = colour
    ctx.fill()
  }
}

/** "+37" at the right of a node whose descendants are folded away. */
function drawBadge(
  ctx: CanvasRenderingContext2D,
  text: string,
  right: number,
  y: number,
  unit: number,
  scene: Scene,
): void {
  const { palette } = scene
  ctx.font = `600 ${10.5 * unit}px ${palette.font}`
  const width = measure(ctx, text) + 12 * unit
  ctx.beginPath()
  ctx.roundRect(right - width, y - 9 * unit, width, 18 * unit, 9 * unit)
  ctx.fillStyle = palette.foreground
  ctx.fill()
  ctx.fillStyle = palette.card
  ctx.textBaseline = 'middle'
  ctx.fillText(text, right - width + 6 * unit, y + 0.5 * unit)
}

const foldedText = (node: TreeNode): string => `+${formatNumber(node.folded)}`

function drawCard(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  colour: string,
  scene: Scene,
  view: View,
  state: DrawState,
): void {
  const { palette, layout } = scene
  const unit = view.scale
  const width = layout.size.width * unit
  const height = layout.size.height * unit
  const x = node.x * view.scaleX + view.left
  const y = node.y * unit + view.top
  const left = x - width / 2
  const top = y - height / 2
  const marked = node.id === state.selected || node.id === state.target
  ctx.beginPath()
  ctx.roundRect(left, top, width, height, 10 * unit)
  ctx.fillStyle = node.ghost || node.more ? palette.background : palette.card
  ctx.fill()
  if (marked) {
    const before = ctx.globalAlpha
    ctx.globalAlpha = before * 0.14
    ctx.fillStyle = palette.primary
    ctx.fill()
    ctx.globalAlpha = before
  }
  if (node.ghost) ctx.setLineDash([4, 4])
  ctx.lineWidth = marked ? 2 : 1
  ctx.strokeStyle = isMarked(node, state) ? palette.primary : palette.border
  ctx.stroke()
  ctx.setLineDash([])
  fillDot(ctx, node, left + 16 * unit, y, 4 * unit, colour, scene)

  const badge = node.folded > 0 ? 46 * unit : 0
  const room = width - 40 * unit - badge
  ctx.textBaseline = 'middle'
  ctx.fillStyle = node.ghost ? palette.muted : palette.foreground
  ctx.font = `${node.ghost ? 'italic ' : ''}550 ${12.5 * unit}px ${palette.font}`
  ctx.fillText(fitText(ctx, node.name, room), left + 28 * unit, y - 7.5 * unit)
  ctx.fillStyle = palette.muted
  ctx.font = `400 ${11 * unit}px ${palette.font}`
  ctx.fillText(fitText(ctx, nodeCaption(node), room), left + 28 * unit, y + 9 * unit)
  if (node.folded > 0) drawBadge(ctx, foldedText(node), left + width - 10 * unit, y, unit, scene)
}

function writeName(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  x: number,
  y: number,
  scene: Scene,
  view: View,
  marked: boolean,
): void {
  const { palette, layout } = scene
  ctx.font = `${node.ghost ? 'italic ' : ''}${marked ? 600 : 450} ${NAME}px ${palette.font}`
  ctx.textBaseline = 'middle'
  const name = node.folded > 0 ? `${node.name}  ${foldedText(node)}` : node.name
  const columns = layout.arrangement === 'columns'
  const room = columns
    ? (layout.size.width + Math.min(layout.size.columnGap, layout.size.width)) * view.scaleX - 20
    : 180
  // A marked name is written in full, over whatever is beside it.
  const text = marked ? name : fitText(ctx, name, room)
  ctx.save()
  const alpha = ctx.globalAlpha
  // Whole pixels: letters are then drawn from few cached shapes.
  ctx.translate(Math.round(x), Math.round(y))
  let away = DOT + 4
  if (layout.arrangement === 'radial' && node.parent) {
    // Names run outwards, never upside down.
    const flipped = Math.cos(node.angle) < 0
    ctx.rotate(flipped ? node.angle + Math.PI : node.angle)
    if (flipped) away = -away - measure(ctx, text)
  }
  // A box behind the name, not an outline: outlined text is drawn as paths, ten times slower.
  ctx.globalAlpha *= 0.94
  ctx.fillStyle = palette.card
  ctx.fillRect(away - 1, -7, measure(ctx, text) + 2, 14)
  ctx.globalAlpha = alpha
  ctx.fillStyle = node.ghost || node.more ? palette.muted : palette.foreground
  ctx.fillText(text, away, 0)
  ctx.restore()
}

function drawNamed(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  colour: string,
  scene: Scene,
  view: View,
  state: DrawState,
  named: boolean,
): void {
  const marked = isMarked(node, state)
  const x = dotX(node, scene.layout) * view.scaleX + view.left
  const y = node.y * view.scale + view.top
  fillDot(ctx, node, x, y, marked ? DOT + 2 : DOT, colour, scene)
  if (marked) {
    ctx.lineWidth = 1.5
    ctx.strokeStyle = scene.palette.foreground
    ctx.stroke()
  }
  if (named || marked) writeName(ctx, node, x, y, scene, view, marked)
}

/** Whether a pixel has a dot already. Grows to the largest view there has been. */
let taken = new Uint8Array(0)

/** The dots of one colour are one path; marked nodes and ghosts are drawn singly, on top. */
function drawDots(ctx: CanvasRenderingContext2D, scene: Scene, view: View, state: DrawState): void {
  const { layout, colours } = scene
  const crowd = layout.pitch * view.scale
  const radius = Math.max(1.7, Math.min(DOT, crowd * 0.45))
  const columns = Math.ceil(view.width) + 1
  const cells = columns * (Math.ceil(view.height) + 1)
  if (taken.length < cells) taken = new Uint8Array(cells)
  else taken.fill(0, 0, cells)
  const strong: (Path2D | undefined)[] = []
  const faint: (Path2D | undefined)[] = []
  const special: [TreeNode, string][] = []
  const { scale, scaleX } = view
  layout.nodes.forEach((node, index) => {
    const x = dotX(node, layout) * scaleX + view.left
    const y = node.y * scale + view.top
    if (x < 0 || y < 0 || x >= view.width || y >= view.height) return
    const colour = scene.colourOf[index] ?? 0
    if (node.ghost || node.folded > 0 || isMarked(node, state)) {
      special.push([node, colours[colour] ?? ''])
      return
    }
    const cell = Math.round(y) * columns + Math.round(x)
    if (taken[cell] === colour + 1) return
    taken[cell] = colour + 1
    const paths = !state.kin || state.kin.has(node.id) ? strong : faint
    const path = (paths[colour] ??= new Path2D())
    // Squares of a few pixels look like dots and are filled much faster.
    if (radius < 2.2) path.rect(x - radius, y - radius, 2 * radius, 2 * radius)
    else {
      path.moveTo(x + radius, y)
      path.arc(x, y, radius, 0, TAU)
    }
  })
  const fill = (paths: (Path2D | undefined)[], alpha: number) => {
    ctx.globalAlpha = alpha
    paths.forEach((path, index) => {
      if (!path) return
      ctx.fillStyle = colours[index] ?? ''
      ctx.fill(path)
    })
  }
  fill(faint, strength(false))
  fill(strong, 1)
  ctx.globalAlpha = 1
  for (const [node, colour] of special) drawNamed(ctx, node, colour, scene, view, state, false)
}

/** Draws the nodes in view. */
export function drawNodes(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  view: View,
  state: DrawState,
): void {
  if (view.detail === 'dots') {
    drawDots(ctx, scene, view, state)
    return
  }
  const { left, right, top, bottom } = view.box
  const last: [TreeNode, string][] = []
  const draw = (node: TreeNode, colour: string) => {
    ctx.globalAlpha = strength(!state.kin || state.kin.has(node.id))
    if (view.detail === 'cards') drawCard(ctx, node, colour, scene, view, state)
    else drawNamed(ctx, node, colour, scene, view, state, true)
  }
  scene.layout.nodes.forEach((node, index) => {
    if (node.x > right || node.x < left || node.y > bottom || node.y < top) return
    const colour = scene.colours[scene.colourOf[index] ?? 0] ?? ''
    if (isMarked(node, state)) last.push([node, colour])
    else draw(node, colour)
  })
  for (const [node, colour] of last) draw(node, colour)
  ctx.globalAlpha = 1
}

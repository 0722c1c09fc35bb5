import { formatPercent } from '@/lib/format'
import { RELATION_WORDS } from '@/lib/relations'
import { RELATIONS, type Relation } from '@/lib/types'

import { dotX, nodeName, type TreeLayout, type TreeLink, type TreeNode } from './layout'

export interface Palette {
  background: string
  card: string
  foreground: string
  muted: string
  border: string
  primary: string
  font: string
  relations: Record<Relation, string>
}

/** The theme's colours as they are now; a canvas cannot read CSS variables by itself. */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    background: read('--background'),
    card: read('--card'),
    foreground: read('--foreground'),
    muted: read('--muted-foreground'),
    border: read('--input'),
    primary: read('--primary'),
    font: style.fontFamily,
    relations: Object.fromEntries(
      RELATIONS.map((relation) => [relation, read(`--relation-${relation}`)]),
    ) as Record<Relation, string>,
  }
}

export interface View {
  /** Screen = layout * scale + (x, y), in CSS pixels. */
  scale: number
  x: number
  y: number
  width: number
  height: number
}

export interface DrawState {
  selected: string | null
  hovered: string | null
  /** The ids that stay strong while something is hovered; null when all do. */
  kin: ReadonlySet<string> | null
}

/** Cards with two lines, dots with a name, or dots alone: what can be read at this scale. */
export type Detail = 'cards' | 'names' | 'dots'

export function chooseDetail(scale: number): Detail {
  if (scale >= 0.62) return 'cards'
  return scale >= 0.26 ? 'names' : 'dots'
}

const DOT = 4.5

function fitText(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle
    else high = middle - 1
  }
  return `${text.slice(0, low)}…`
}

/** How strong something is drawn while another model's kin stand out. */
const strength = (strong: boolean): number => (strong ? 1 : 0.3)

function traceLink(path: CanvasPath, link: TreeLink, layout: TreeLayout, detail: Detail): void {
  const cards = detail === 'cards'
  const x0 = cards ? link.source.x + layout.size.width / 2 : dotX(link.source, layout.size)
  const x1 = cards ? link.target.x - layout.size.width / 2 : dotX(link.target, layout.size)
  const middle = (x0 + x1) / 2
  path.moveTo(x0, link.source.y)
  path.bezierCurveTo(middle, link.source.y, middle, link.target.y, x1, link.target.y)
}

function styleLink(
  ctx: CanvasRenderingContext2D,
  link: TreeLink,
  scale: number,
  palette: Palette,
): void {
  const confidence = link.edge?.confidence ?? 0
  const relation = link.edge?.relation ?? 'unresolved'
  const uncertain = !link.edge || relation === 'unresolved' || !link.edge.resolved
  ctx.strokeStyle = palette.relations[relation]
  ctx.lineWidth = (link.edge ? 1.1 + 1.5 * confidence : 1.2) / Math.max(scale, 0.45)
  const dash = 5 / Math.max(scale, 0.45)
  ctx.setLineDash(!link.main ? [dash, dash * 0.8] : uncertain ? [dash * 0.4, dash * 0.7] : [])
  ctx.globalAlpha *= link.edge ? 0.45 + 0.55 * confidence : 0.7
}

interface Stroke {
  path: Path2D
  link: TreeLink
  kin: boolean
}

/**
 * From afar thousands of edges are in view: those that look alike (relation, dash and confidence to
 * the nearest fifth) share one path, which a canvas strokes many times faster than single ones.
 */
function drawLinksFromAfar(
  ctx: CanvasRenderingContext2D,
  links: TreeLink[],
  layout: TreeLayout,
  scale: number,
  isKin: (link: TreeLink) => boolean,
  palette: Palette,
): void {
  const strokes = new Map<string, Stroke>()
  for (const link of links) {
    const { edge, main } = link
    const kin = isKin(link)
    const level = edge ? Math.round(edge.confidence * 5) / 5 : -1
    const key = `${edge?.relation} ${main} ${edge?.resolved} ${level} ${kin}`
    let stroke = strokes.get(key)
    if (!stroke) {
      const representative = edge && { ...link, edge: { ...edge, confidence: level } }
      stroke = { path: new Path2D(), link: representative ?? link, kin }
      strokes.set(key, stroke)
    }
    traceLink(stroke.path, link, layout, 'dots')
  }
  for (const { path, link, kin } of strokes.values()) {
    ctx.globalAlpha = strength(kin)
    styleLink(ctx, link, scale, palette)
    ctx.stroke(path)
    ctx.setLineDash([])
  }
}

function nodeColor(node: TreeNode, palette: Palette): string {
  if (node.edge) return palette.relations[node.edge.relation]
  return node.ghost || node.parent ? palette.relations.unresolved : palette.primary
}

/** A diamond halfway along what somebody stated, so that it stands out from what was measured. */
function markStated(
  ctx: CanvasRenderingContext2D,
  link: TreeLink,
  layout: TreeLayout,
  detail: Detail,
  scale: number,
  palette: Palette,
): void {
  const cards = detail === 'cards'
  const x0 = cards ? link.source.x + layout.size.width / 2 : dotX(link.source, layout.size)
  const x1 = cards ? link.target.x - layout.size.width / 2 : dotX(link.target, layout.size)
  const x = (x0 + x1) / 2
  const y = (link.source.y + link.target.y) / 2
  const half = 5 / Math.max(scale, 0.45)
  ctx.beginPath()
  ctx.moveTo(x, y - half)
  ctx.lineTo(x + half, y)
  ctx.lineTo(x, y + half)
  ctx.lineTo(x - half, y)
  ctx.closePath()
  ctx.fillStyle = palette.foreground
  ctx.fill()
  ctx.lineWidth = 2 / Math.max(scale, 0.45)
  ctx.strokeStyle = palette.background
  ctx.stroke()
}

/** The small second line: what was done, and how sure that is. */
export function nodeCaption(node: TreeNode): string {
  if (node.ghost) return `Possible, ${formatPercent(node.ghost.confidence)} sure`
  // How sure it is which copy came first says nothing: see describeOrigin.
  if (node.edge?.relation === 'duplicate') return RELATION_WORDS.duplicate.label
  if (node.edge?.evidence.stated_by != null) {
    return `${RELATION_WORDS[node.edge.relation].label} · stated by ${node.edge.evidence.stated_by}`
  }
  if (node.edge) {
    return `${RELATION_WORDS[node.edge.relation].label} · ${formatPercent(node.edge.confidence)}`
  }
  if (node.parent) return 'Child of a missing ancestor'
  return node.children.length > 0 ? 'Root' : 'No parent here'
}

function drawCard(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  layout: TreeLayout,
  palette: Palette,
  state: DrawState,
): void {
  const { width, height } = layout.size
  const left = node.x - width / 2
  const top = node.y - height / 2
  const marked = node.id === state.selected
  ctx.beginPath()
  ctx.roundRect(left, top, width, height, 10)
  ctx.fillStyle = node.ghost ? palette.background : palette.card
  ctx.fill()
  if (marked) {
    ctx.save()
    ctx.globalAlpha *= 0.14
    ctx.fillStyle = palette.primary
    ctx.fill()
    ctx.restore()
  }
  if (node.ghost) ctx.setLineDash([4, 4])
  const hovered = node.id === state.hovered
  ctx.lineWidth = marked ? 2 : 1
  ctx.strokeStyle = marked || hovered ? palette.primary : palette.border
  ctx.stroke()
  ctx.setLineDash([])

  ctx.fillStyle = nodeColor(node, palette)
  ctx.beginPath()
  ctx.arc(dotX(node, layout.size), node.y, 4, 0, Math.PI * 2)
  if (node.ghost) {
    ctx.strokeStyle = palette.relations.unresolved
    ctx.lineWidth = 1.5
    ctx.stroke()
  } else ctx.fill()

  const room = width - 28 - 12
  ctx.textBaseline = 'middle'
  ctx.fillStyle = node.ghost ? palette.muted : palette.foreground
  ctx.font = `${node.ghost ? 'italic ' : ''}550 12.5px ${palette.font}`
  ctx.fillText(fitText(ctx, nodeName(node), room), left + 28, node.y - 7.5)
  ctx.fillStyle = palette.muted
  ctx.font = `400 11px ${palette.font}`
  ctx.fillText(fitText(ctx, nodeCaption(node), room), left + 28, node.y + 9)
}

function drawDot(
  ctx: CanvasRenderingContext2D,
  node: TreeNode,
  layout: TreeLayout,
  palette: Palette,
  state: DrawState,
  scale: number,
  named: boolean,
): void {
  const marked = node.id === state.selected || node.id === state.hovered
  const radius = (marked ? DOT + 2 : DOT) / Math.max(scale, 0.12)
  const centre = dotX(node, layout.size)
  ctx.beginPath()
  ctx.arc(centre, node.y, radius, 0, Math.PI * 2)
  ctx.fillStyle = node.ghost ? palette.background : nodeColor(node, palette)
  ctx.fill()
  ctx.lineWidth = 1.5 / scale
  ctx.strokeStyle = marked
    ? palette.foreground
    : node.ghost
      ? palette.relations.unresolved
      : palette.background
  if (node.ghost) ctx.setLineDash([3 / scale, 2 / scale])
  ctx.stroke()
  ctx.setLineDash([])
  if (!named && !marked) return
  // Constant size on screen, so that names can be read long before cards fit.
  const pixels = 11
  ctx.font = `${marked ? 600 : 450} ${pixels / scale}px ${palette.font}`
  ctx.textBaseline = 'middle'
  const room = layout.size.width + Math.min(layout.size.columnGap, layout.size.width)
  // A marked name is written in full, over whatever is beside it.
  const text = marked ? nodeName(node) : fitText(ctx, nodeName(node), room - (DOT + 14) / scale)
  const x = centre + radius + 4 / scale
  ctx.lineWidth = 3.5 / scale
  ctx.lineJoin = 'round'
  ctx.strokeStyle = palette.background
  ctx.strokeText(text, x, node.y)
  ctx.fillStyle = node.ghost ? palette.muted : palette.foreground
  ctx.fillText(text, x, node.y)
}

/** The dots of one colour are one path too; marked nodes and ghosts are drawn singly, on top. */
function drawDotsFromAfar(
  ctx: CanvasRenderingContext2D,
  nodes: TreeNode[],
  layout: TreeLayout,
  palette: Palette,
  state: DrawState,
  scale: number,
): void {
  const radius = DOT / Math.max(scale, 0.12)
  const isSpecial = (node: TreeNode) =>
    node.ghost !== null || node.id === state.selected || node.id === state.hovered
  const paths = new Map<string, { path: Path2D; color: string; kin: boolean }>()
  for (const node of nodes) {
    if (isSpecial(node)) continue
    const color = nodeColor(node, palette)
    const kin = state.kin === null || state.kin.has(node.id)
    const key = `${color} ${kin}`
    const entry = paths.get(key) ?? { path: new Path2D(), color, kin }
    paths.set(key, entry)
    const x = dotX(node, layout.size)
    entry.path.moveTo(x + radius, node.y)
    entry.path.arc(x, node.y, radius, 0, Math.PI * 2)
  }
  for (const { path, color, kin } of paths.values()) {
    ctx.globalAlpha = strength(kin)
    ctx.fillStyle = color
    ctx.fill(path)
  }
  ctx.globalAlpha = 1
  for (const node of nodes.filter(isSpecial)) {
    drawDot(ctx, node, layout, palette, state, scale, false)
  }
}

/** Paints the family. Nodes outside the view are skipped: a frame costs what it shows. */
export function drawTree(
  ctx: CanvasRenderingContext2D,
  layout: TreeLayout,
  view: View,
  state: DrawState,
  palette: Palette,
): void {
  const detail = chooseDetail(view.scale)
  const margin = layout.size.width
  const left = -view.x / view.scale - margin
  const right = (view.width - view.x) / view.scale + margin
  const top = -view.y / view.scale - margin
  const bottom = (view.height - view.y) / view.scale + margin
  const isKin = (id: string) => state.kin === null || state.kin.has(id)

  ctx.clearRect(0, 0, view.width, view.height)
  ctx.save()
  ctx.translate(view.x, view.y)
  ctx.scale(view.scale, view.scale)
  const visible = layout.links.filter(
    ({ source, target }) =>
      Math.min(source.x, target.x) <= right &&
      Math.max(source.x, target.x) >= left &&
      Math.min(source.y, target.y) <= bottom &&
      Math.max(source.y, target.y) >= top,
  )
  const linksKin = (link: TreeLink) => isKin(link.source.id) && isKin(link.target.id)
  if (detail === 'dots') drawLinksFromAfar(ctx, visible, layout, view.scale, linksKin, palette)
  else {
    for (const link of visible) {
      ctx.globalAlpha = strength(linksKin(link))
      styleLink(ctx, link, view.scale, palette)
      ctx.beginPath()
      traceLink(ctx, link, layout, detail)
      ctx.stroke()
      ctx.setLineDash([])
      if (link.edge?.evidence.stated_by != null) {
        markStated(ctx, link, layout, detail, view.scale, palette)
      }
    }
  }
  const nodes = layout.nodes.filter(
    ({ x, y }) => x <= right && x >= left && y <= bottom && y >= top,
  )
  if (detail === 'dots') drawDotsFromAfar(ctx, nodes, layout, palette, state, view.scale)
  else {
    for (const node of nodes) {
      ctx.globalAlpha = strength(isKin(node.id))
      if (detail === 'cards') drawCard(ctx, node, layout, palette, state)
      else drawDot(ctx, node, layout, palette, state, view.scale, true)
    }
  }
  ctx.restore()
}

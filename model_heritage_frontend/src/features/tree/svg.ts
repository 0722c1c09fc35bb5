import { treeWords } from '@/strings/tree'

import { chooseDetail, type Scene } from './draw/scene'
import { traceLink, WHOLE } from './draw/trace'
import { nodeCaption } from './draw/words'
import { dotX, type TreeNode } from './layout'

/** A tree as an SVG document of its own, for papers and slides. */

const NAMESPACE = 'http://www.w3.org/2000/svg'

type Attributes = Record<string, string | number | undefined>

function make(name: string, attributes: Attributes, text?: string): SVGElement {
  const element = document.createElementNS(NAMESPACE, name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) {
      element.setAttribute(key, typeof value === 'number' ? String(round(value)) : value)
    }
  }
  if (text !== undefined) element.textContent = text
  return element
}

const round = (value: number): number => Math.round(value * 100) / 100

/** Takes the strokes of a canvas down as path data. */
class PathPen {
  readonly data: string[] = []
  moveTo(x: number, y: number): void {
    this.data.push(`M${round(x)} ${round(y)}`)
  }
  lineTo(x: number, y: number): void {
    this.data.push(`L${round(x)} ${round(y)}`)
  }
  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void {
    this.data.push(`C${[a, b, c, d, x, y].map(round).join(' ')}`)
  }
  quadraticCurveTo(a: number, b: number, x: number, y: number): void {
    this.data.push(`Q${[a, b, x, y].map(round).join(' ')}`)
  }
}

const LETTERS = { name: 21, caption: 25 }

const shorten = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

function drawCard(node: TreeNode, colour: string, { layout, palette }: Scene): SVGElement {
  const { width, height } = layout.size
  const group = make('g', { transform: `translate(${round(node.x)} ${round(node.y)})` })
  const left = -width / 2
  const hollow = node.ghost !== null || node.more !== null
  group.append(
    make('title', {}, node.name),
    make('rect', {
      x: left,
      y: -height / 2,
      width,
      height,
      rx: 10,
      fill: hollow ? palette.background : palette.card,
      stroke: palette.border,
      'stroke-dasharray': node.ghost ? '4 4' : undefined,
    }),
    makeDot(node, left + 16, 0, colour, palette),
    make(
      'text',
      {
        x: left + 28,
        y: -3.5,
        'font-size': 12.5,
        'font-weight': 550,
        fill: node.ghost ? palette.muted : palette.foreground,
      },
      shorten(node.name, LETTERS.name),
    ),
    make(
      'text',
      { x: left + 28, y: 13, 'font-size': 11, fill: palette.muted },
      shorten(
        node.folded > 0 ? treeWords.node.foldedShort(node.folded) : nodeCaption(node),
        LETTERS.caption,
      ),
    ),
  )
  return group
}

function makeDot(
  node: TreeNode,
  cx: number,
  cy: number,
  colour: string,
  palette: Scene['palette'],
): SVGElement {
  const hollow = node.ghost !== null || node.more !== null
  return make('circle', {
    cx,
    cy,
    r: 4,
    fill: hollow ? palette.card : colour,
    stroke: hollow ? palette.ghost : undefined,
    'stroke-dasharray': node.ghost ? '3 2' : undefined,
  })
}

function drawNamed(node: TreeNode, colour: string, { layout, palette }: Scene): SVGElement {
  const radial = layout.arrangement === 'radial' && node.parent !== null
  const flipped = radial && Math.cos(node.angle) < 0
  const turn = radial ? (node.angle * 180) / Math.PI + (flipped ? 180 : 0) : 0
  const x = round(dotX(node, layout))
  const group = make('g', {
    transform: `translate(${x} ${round(node.y)})${radial ? ` rotate(${round(turn)})` : ''}`,
  })
  group.append(
    makeDot(node, 0, 0, colour, palette),
    make(
      'text',
      {
        x: flipped ? -8 : 8,
        y: 4,
        'font-size': 11.5,
        'text-anchor': flipped ? 'end' : 'start',
        fill: node.ghost || node.more ? palette.muted : palette.foreground,
      },
      node.folded > 0 ? `${node.name} +${node.folded}` : node.name,
    ),
  )
  return group
}

/** The whole tree at its natural size. */
export function drawSvg(scene: Scene, margin: number): string {
  const { layout, palette } = scene
  const { left, right, top, bottom } = layout.bounds
  const width = right - left + 2 * margin
  const height = bottom - top + 2 * margin
  const cards = chooseDetail(layout, 1) === 'cards'
  const root = make('svg', {
    xmlns: NAMESPACE,
    width,
    height,
    viewBox: [left - margin, top - margin, width, height].map(round).join(' '),
    'font-family': palette.font,
  })
  root.append(
    make('rect', { x: left - margin, y: top - margin, width, height, fill: palette.card }),
  )
  layout.links.forEach((link, index) => {
    const style = scene.styles[scene.styleOf[index] ?? 0]
    if (!style) return
    const pen = new PathPen()
    traceLink(pen, link, layout, WHOLE, cards)
    root.append(
      make('path', {
        d: pen.data.join(''),
        fill: 'none',
        stroke: style.colour,
        'stroke-width': style.width,
        'stroke-opacity': style.alpha,
        'stroke-dasharray': style.dash.length > 0 ? style.dash.join(' ') : undefined,
      }),
    )
  })
  layout.nodes.forEach((node, index) => {
    const colour = scene.colours[scene.colourOf[index] ?? 0] ?? palette.primary
    root.append(cards ? drawCard(node, colour, scene) : drawNamed(node, colour, scene))
  })
  return new XMLSerializer().serializeToString(root)
}

import { treeWords } from '@/strings/tree'

import type { Colouring } from './colouring'
import { readPalette } from './draw/palette'
import { CALM, makeScene, type Scene } from './draw/scene'
import { drawTree } from './draw/tree'
import type { TreeLayout } from './layout'
import { drawSvg } from './svg'

const MARGIN = 24
/** Browsers refuse larger canvases. */
const MOST_SIDE = 12_000
const MOST_PIXELS = 60_000_000

/** Colours that every program reads: oklch and color-mix become rgb. */
function makePlain(): (colour: string) => string {
  const ctx = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const known = new Map<string, string>()
  return (colour) => {
    const before = known.get(colour)
    if (before !== undefined || !ctx) return before ?? colour
    ctx.fillStyle = colour
    ctx.fillRect(0, 0, 1, 1)
    const [red, green, blue] = ctx.getImageData(0, 0, 1, 1).data
    const plain = `rgb(${red}, ${green}, ${blue})`
    known.set(colour, plain)
    return plain
  }
}

function makePlainScene(layout: TreeLayout, colouring: Colouring): Scene {
  const palette = readPalette(document.body)
  const plain = makePlain()
  return makeScene(layout, colouring, {
    background: plain(palette.background),
    card: plain(palette.card),
    foreground: plain(palette.foreground),
    muted: plain(palette.muted),
    border: plain(palette.border),
    primary: plain(palette.primary),
    ghost: plain(palette.ghost),
    font: palette.font,
    resolve: (css) => plain(palette.resolve(css)),
  })
}

async function drawPng(scene: Scene): Promise<Blob> {
  const { left, right, top, bottom } = scene.layout.bounds
  const width = right - left + 2 * MARGIN
  const height = bottom - top + 2 * MARGIN
  const scale = Math.min(
    2,
    MOST_SIDE / Math.max(width, height),
    Math.sqrt(MOST_PIXELS / (width * height)),
  )
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * scale)
  canvas.height = Math.ceil(height * scale)
  const ctx = canvas.getContext('2d')
  if (!ctx) throw new Error(treeWords.tooLarge)
  ctx.fillStyle = scene.palette.card
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  const camera = {
    scale,
    scaleX: scale,
    left: (MARGIN - left) * scale,
    top: (MARGIN - top) * scale,
    width: canvas.width,
    height: canvas.height,
  }
  drawTree(ctx, scene, camera, CALM)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!blob) throw new Error(treeWords.tooLarge)
  return blob
}

/** The family as it is laid out now, whole, as a file. */
export async function savePicture(
  format: 'svg' | 'png',
  layout: TreeLayout,
  colouring: Colouring,
  name: string,
): Promise<void> {
  const scene = makePlainScene(layout, colouring)
  const blob =
    format === 'png'
      ? await drawPng(scene)
      : new Blob([drawSvg(scene, MARGIN)], { type: 'image/svg+xml' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')}.${format}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

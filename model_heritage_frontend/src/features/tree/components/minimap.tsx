import { useEffect, useRef, useState, type PointerEvent } from 'react'

import { fitCamera, toDrawing, toScreen } from '../camera'
import type { Colouring } from '../colouring'
import { readPalette } from '../draw/palette'
import { CALM, makeScene } from '../draw/scene'
import { drawTree } from '../draw/tree'
import type { TreeLayout } from '../layout'
import type { TreeStage } from '../stage'

const WIDTH = 176
const HEIGHT = 116

interface MinimapProps {
  stage: TreeStage
  layout: TreeLayout
  colouring: Colouring
}

/** The whole tree, small, with a frame around what is in view; hidden while all of it is. */
export function Minimap({ stage, layout, colouring }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [needed, setNeeded] = useState(false)

  useEffect(() => {
    const update = () => setNeeded(!stage.showsAll && stage.camera.width >= 560)
    update()
    return stage.watch(update)
  }, [stage])

  useEffect(() => {
    const element = canvas.current
    const ctx = element?.getContext('2d')
    if (!needed || !element || !ctx) return
    const ratio = window.devicePixelRatio || 1
    element.width = WIDTH * ratio
    element.height = HEIGHT * ratio
    // The tree itself is painted once and kept: a frame of zooming only moves the rectangle.
    const picture = document.createElement('canvas')
    picture.width = element.width
    picture.height = element.height
    const camera = fitCamera(layout, { width: WIDTH, height: HEIGHT })
    const palette = readPalette(element)
    let painted = false
    const paint = () => {
      if (!painted) {
        const small = picture.getContext('2d')
        if (!small) return
        small.setTransform(ratio, 0, 0, ratio, 0, 0)
        drawTree(small, makeScene(layout, colouring, palette), camera, CALM)
        painted = true
      }
      ctx.setTransform(1, 0, 0, 1, 0, 0)
      ctx.clearRect(0, 0, element.width, element.height)
      ctx.drawImage(picture, 0, 0)
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
      const from = toScreen(camera, stage.invert(0, 0))
      const to = toScreen(camera, stage.invert(stage.camera.width, stage.camera.height))
      const left = Math.max(from.x, 1)
      const top = Math.max(from.y, 1)
      const width = Math.min(to.x, WIDTH - 1) - left
      const height = Math.min(to.y, HEIGHT - 1) - top
      ctx.fillStyle = palette.primary
      ctx.globalAlpha = 0.12
      ctx.fillRect(left, top, width, height)
      ctx.globalAlpha = 1
      ctx.strokeStyle = palette.primary
      ctx.lineWidth = 1.5
      ctx.strokeRect(left, top, Math.max(width, 3), Math.max(height, 3))
    }
    paint()
    return stage.watch(paint)
  }, [needed, stage, layout, colouring])

  const jump = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1) return
    const box = event.currentTarget.getBoundingClientRect()
    const camera = fitCamera(layout, { width: WIDTH, height: HEIGHT })
    const point = toDrawing(camera, event.clientX - box.left, event.clientY - box.top)
    stage.centre(point, 0, true)
  }

  if (!needed) return null
  return (
    <canvas
      ref={canvas}
      aria-hidden
      className="bg-card/90 absolute bottom-3 left-3 cursor-crosshair touch-none rounded-md border shadow-xs"
      style={{ width: WIDTH, height: HEIGHT }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        jump(event)
      }}
      onPointerMove={jump}
    />
  )
}

import { select } from 'd3-selection'
import {
  zoom,
  zoomIdentity,
  type D3ZoomEvent,
  type ZoomBehavior,
  type ZoomTransform,
} from 'd3-zoom'
import 'd3-transition'
import { useEffect, useRef, useState } from 'react'

import type { TreeLayout, TreeNode } from './layout'

const MAX_SCALE = 2.5

interface Options {
  /** Leaves scrolling to the page: zooms by wheel only with Ctrl or ⌘, pans only with two fingers. */
  gentle: boolean
  still: boolean
}

export interface TreeView {
  size: { width: number; height: number }
  transform: ZoomTransform
  fit: () => void
  zoomBy: (factor: number) => void
  /** Moves the view so that this node is in the middle, no smaller than `least`. */
  centre: (node: TreeNode, least?: number) => void
}

/** What fits the whole layout into the box, never magnified beyond its natural size. */
export function fitTransform(
  layout: TreeLayout,
  size: { width: number; height: number },
): ZoomTransform {
  const { left, right, top, bottom } = layout.bounds
  const padding = size.width < 480 ? 14 : 28
  const scale = Math.min(
    1,
    (size.width - 2 * padding) / Math.max(right - left, 1),
    (size.height - 2 * padding) / Math.max(bottom - top, 1),
  )
  return zoomIdentity
    .translate(size.width / 2, size.height / 2)
    .scale(Math.max(scale, 0.01))
    .translate(-(left + right) / 2, -(top + bottom) / 2)
}

function acceptGently(event: Event): boolean {
  if (event instanceof WheelEvent) return event.ctrlKey || event.metaKey
  if ('touches' in event) return (event as TouchEvent).touches.length > 1
  return event instanceof MouseEvent && event.button === 0
}

function acceptAll(event: Event): boolean {
  return !(event instanceof MouseEvent) || event instanceof WheelEvent || event.button === 0
}

/** Pan and zoom of a canvas, and its size. */
export function useTreeView(
  canvas: HTMLCanvasElement | null,
  layout: TreeLayout,
  { gentle, still }: Options,
): TreeView {
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [transform, setTransform] = useState(zoomIdentity)
  const behavior = useRef<ZoomBehavior<HTMLCanvasElement, unknown> | null>(null)
  /** Once the reader has moved the view, a new size or new data no longer moves it. */
  const touched = useRef(false)

  useEffect(() => {
    if (!canvas) return
    const observer = new ResizeObserver(() => {
      setSize({ width: canvas.clientWidth, height: canvas.clientHeight })
    })
    observer.observe(canvas)
    const zooming = zoom<HTMLCanvasElement, unknown>()
      .filter(gentle ? acceptGently : acceptAll)
      .on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        if (event.sourceEvent) touched.current = true
        setTransform(event.transform)
      })
    behavior.current = zooming
    const selection = select(canvas)
    zooming(selection)
    selection.on('dblclick.zoom', null)
    return () => {
      observer.disconnect()
      selection.on('.zoom', null)
    }
  }, [canvas, gentle])

  useEffect(() => {
    if (!canvas || size.width === 0 || !behavior.current) return
    const whole = fitTransform(layout, size)
    behavior.current.scaleExtent([Math.min(whole.k, 0.5), MAX_SCALE])
    if (!touched.current) behavior.current.transform(select(canvas), whole)
  }, [canvas, layout, size])

  const moveTo = (next: ZoomTransform) => {
    if (!canvas || !behavior.current) return
    const selection = select(canvas)
    if (still) behavior.current.transform(selection, next)
    else behavior.current.transform(selection.transition().duration(320), next)
  }

  return {
    size,
    transform,
    fit: () => {
      touched.current = false
      moveTo(fitTransform(layout, size))
    },
    zoomBy: (factor) => {
      if (!canvas || !behavior.current) return
      touched.current = true
      const selection = select(canvas)
      if (still) behavior.current.scaleBy(selection, factor)
      else behavior.current.scaleBy(selection.transition().duration(180), factor)
    },
    centre: (node, least = 0) => {
      touched.current = true
      moveTo(
        zoomIdentity
          .translate(size.width / 2, size.height / 2)
          .scale(Math.max(transform.k, least))
          .translate(-node.x, -node.y),
      )
    },
  }
}

import { useCallback, useEffect, useRef, useState, type PointerEvent } from 'react'

import type { TreeNode } from './layout'
import type { TreeStage } from './stage'

/** A press becomes a drag when it has moved this far, in pixels. */
const FAR = 7

export interface Held {
  node: TreeNode
  /** The node under the pointer, where it can be a parent. */
  target: TreeNode | null
  /** Where the pointer is on the canvas. */
  x: number
  y: number
}

interface Options {
  stage: TreeStage | null
  nodeAt: (event: { clientX: number; clientY: number }) => TreeNode | null
  /** Whether nodes are large enough to be taken hold of; else every press moves the view. */
  canHold: () => boolean
  onDrop: ((child: TreeNode, parent: TreeNode) => void) | undefined
}

/** Drags a model onto another one. Only by mouse or pen: on a touch screen a finger moves the view. */
export function useDrag({ stage, nodeAt, canHold, onDrop }: Options) {
  const [held, setHeld] = useState<Held | null>(null)
  const dropped = useRef(false)
  const listening = useRef<(() => void) | null>(null)
  useEffect(() => () => listening.current?.(), [])

  /** A press on a model belongs to it, any other one moves the view. */
  const isTaken = useCallback(
    (event: MouseEvent) => onDrop !== undefined && canHold() && nodeAt(event)?.model != null,
    [onDrop, nodeAt, canHold],
  )

  const onPointerDown = (press: PointerEvent) => {
    dropped.current = false
    if (!stage || !onDrop || press.button !== 0 || press.pointerType === 'touch') return
    if (!canHold()) return
    const node = nodeAt(press)
    if (!node?.model) return
    let now: Held | null = null
    const box = stage.canvas.getBoundingClientRect()
    const move = (event: globalThis.PointerEvent) => {
      const gone = Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY)
      if (!now && gone < FAR) return
      const under = nodeAt(event)
      const target = under?.model && under !== node ? under : null
      now = { node, target, x: event.clientX - box.left, y: event.clientY - box.top }
      setHeld(now)
    }
    const end = () => {
      window.removeEventListener('pointermove', move)
      window.removeEventListener('pointerup', drop)
      window.removeEventListener('pointercancel', end)
      window.removeEventListener('keydown', cancel)
      listening.current = null
      setHeld(null)
    }
    const drop = () => {
      end()
      if (!now) return
      // The click that follows chooses nothing.
      dropped.current = true
      if (now.target) onDrop(node, now.target)
    }
    const cancel = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape') return
      now = null
      dropped.current = true
      end()
    }
    window.addEventListener('pointermove', move)
    window.addEventListener('pointerup', drop)
    window.addEventListener('pointercancel', end)
    window.addEventListener('keydown', cancel)
    listening.current = end
  }

  return {
    held,
    isTaken,
    onPointerDown,
    /** Whether the click that is being handled is the end of a drag. */
    justDropped: () => dropped.current,
  }
}

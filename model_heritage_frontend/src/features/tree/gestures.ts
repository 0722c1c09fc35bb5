/** Wheel, drag and pinch on an element, told as changes of a view. */

export interface GestureTarget {
  /** Whether a pointer that goes down here moves the view. */
  accepts: (event: PointerEvent) => boolean
  /** Whether one finger moves the view, or only two do. */
  pansWith: (event: PointerEvent) => boolean
  acceptsWheel: (event: WheelEvent) => boolean
  pan: (across: number, down: number) => void
  /** Zooms by a factor about a point of the element. */
  zoom: (factor: number, x: number, y: number) => void
}

/** A press that moved less than this is a click. */
const FAR = 4

/** How much a turn of the wheel zooms; Firefox counts lines, a pinch on a touchpad comes with Ctrl. */
const wheelFactor = (event: WheelEvent): number =>
  2 **
  (-event.deltaY *
    (event.deltaMode === 1 ? 0.05 : event.deltaMode === 0 ? 0.002 : 1) *
    (event.ctrlKey ? 10 : 1))

interface Finger {
  x: number
  y: number
}

/** Listens until the returned function is called; `moved` tells whether the last press was a drag. */
export function listenToGestures(element: HTMLElement, target: GestureTarget) {
  const fingers = new Map<number, Finger>()
  let moved = false
  let begun: Finger | null = null

  const place = (event: PointerEvent | WheelEvent): Finger => {
    const box = element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const onWheel = (event: WheelEvent) => {
    if (!target.acceptsWheel(event)) return
    event.preventDefault()
    const { x, y } = place(event)
    target.zoom(wheelFactor(event), x, y)
  }
  const onDown = (event: PointerEvent) => {
    if (fingers.size === 0) moved = false
    if (!target.accepts(event)) return
    fingers.set(event.pointerId, place(event))
    begun = place(event)
    // With the second finger it is a pinch.
    if (fingers.size === 2) moved = true
  }
  const onMove = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId)
    if (!before || !begun) return
    const now = place(event)
    if (!moved && Math.hypot(now.x - begun.x, now.y - begun.y) < FAR) return
    if (!moved) element.setPointerCapture(event.pointerId)
    moved = true
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1]
    fingers.set(event.pointerId, now)
    if (!other) {
      if (target.pansWith(event)) target.pan(now.x - before.x, now.y - before.y)
    } else {
      const apart = Math.hypot(before.x - other.x, before.y - other.y)
      const next = Math.hypot(now.x - other.x, now.y - other.y)
      target.pan((now.x - before.x) / 2, (now.y - before.y) / 2)
      if (apart > 0) target.zoom(next / apart, (now.x + other.x) / 2, (now.y + other.y) / 2)
    }
  }
  const onUp = (event: PointerEvent) => {
    fingers.delete(event.pointerId)
  }
  element.addEventListener('wheel', onWheel, { passive: false })
  element.addEventListener('pointerdown', onDown)
  element.addEventListener('pointermove', onMove)
  element.addEventListener('pointerup', onUp)
  element.addEventListener('pointercancel', onUp)
  return {
    hasMoved: () => moved,
    stop: () => {
      element.removeEventListener('wheel', onWheel)
      element.removeEventListener('pointerdown', onDown)
      element.removeEventListener('pointermove', onMove)
      element.removeEventListener('pointerup', onUp)
      element.removeEventListener('pointercancel', onUp)
    },
  }
}

import {
  centreCamera,
  fitCamera,
  mixCameras,
  panCamera,
  toDrawing,
  toScreen,
  zoomAt,
  type Camera,
} from './camera'
import { CALM, type DrawState, type Scene } from './draw/scene'
import { drawTree } from './draw/tree'
import { makeTween, type Tween } from './draw/tween'
import { listenToGestures } from './gestures'

const TWEEN_MS = 360
const FLIGHT_MS = 320

export interface StageOptions {
  /** Leaves scrolling to the page: zooms by wheel only with Ctrl or ⌘, by touch only with two fingers. */
  gentle: boolean
  /** No movement but what the reader causes. */
  still: boolean
  /** Whether a press at this event is the beginning of something else than a pan. */
  isTaken: (event: MouseEvent) => boolean
}

const ease = (share: number): number => 1 - (1 - share) ** 3

/**
 * The canvas of a tree: pan, zoom and painting. It stands outside React, so that a frame of zooming
 * costs the drawing and nothing else.
 */
export class TreeStage {
  private options: StageOptions = { gentle: false, still: false, isTaken: () => false }
  private view: Camera = { scaleX: 1, scale: 1, left: 0, top: 0, width: 0, height: 0 }
  private scene: Scene | null = null
  private state: DrawState = CALM
  private frame: number | null = null
  private tween: { tween: Tween; begun: number } | null = null
  private flight: { from: Camera; to: Camera; begun: number } | null = null
  /** Once the reader has moved the view, a new size or new data no longer moves it. */
  private touched = false
  private readonly watchers = new Set<() => void>()
  private readonly gestures: ReturnType<typeof listenToGestures>
  private readonly observer: ResizeObserver

  constructor(readonly canvas: HTMLCanvasElement) {
    this.gestures = listenToGestures(canvas, {
      accepts: (event) => this.accepts(event),
      // On a page that scrolls, one finger does that.
      pansWith: (event) => !this.options.gentle || event.pointerType !== 'touch',
      acceptsWheel: (event) => !this.options.gentle || event.ctrlKey || event.metaKey,
      pan: (across, down) => this.move(panCamera(this.view, across, down)),
      zoom: (factor, x, y) => {
        const { scene, view } = this
        if (scene) this.move(zoomAt(view, scene.layout, view.scale * factor, x, y))
      },
    })
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(canvas)
    this.measure()
  }

  configure(options: StageOptions): void {
    this.options = options
  }

  dispose(): void {
    this.observer.disconnect()
    this.gestures.stop()
    if (this.frame !== null) cancelAnimationFrame(this.frame)
    this.tween?.tween.step(1)
    this.watchers.clear()
  }

  /** Calls back after every frame that was painted; returns what ends it. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  get camera(): Camera {
    return this.view
  }

  /** Whether the press that a click ends has moved the view. */
  get hasMoved(): boolean {
    return this.gestures.hasMoved()
  }

  /** Whether all of the tree is in view. */
  get showsAll(): boolean {
    if (!this.scene) return true
    const { left, right, top, bottom } = this.scene.layout.bounds
    const from = toScreen(this.view, { x: left, y: top })
    const to = toScreen(this.view, { x: right, y: bottom })
    const { width, height } = this.view
    return from.x >= -60 && from.y >= -40 && to.x <= width + 60 && to.y <= height + 40
  }

  show(scene: Scene): void {
    const before = this.scene && { layout: this.scene.layout, camera: this.view }
    this.tween?.tween.step(1)
    this.tween = null
    this.scene = scene
    if (before?.layout !== scene.layout) {
      this.adapt()
      const tween =
        before && !this.options.still && this.view.width > 0
          ? makeTween(before, scene.layout, this.view)
          : null
      if (tween) this.tween = { tween, begun: performance.now() }
    }
    // The first picture does not wait for the next frame.
    if (before) this.request()
    else this.paint()
  }

  mark(state: DrawState): void {
    this.state = state
    this.request()
  }

  fit(): void {
    this.touched = false
    if (this.scene) this.flyTo(fitCamera(this.scene.layout, this.view))
  }

  zoomBy(factor: number): void {
    if (!this.scene) return
    this.touched = true
    const from = this.flight?.to ?? this.view
    const { width, height, scale } = from
    this.flyTo(zoomAt(from, this.scene.layout, scale * factor, width / 2, height / 2))
  }

  /** Moves the view so that this point of the layout is in the middle, no smaller than `least`. */
  centre(point: { x: number; y: number }, least = 0, still = this.options.still): void {
    if (!this.scene || this.view.width === 0) return
    this.touched = true
    const scale = Math.max(this.view.scale, least)
    this.flyTo(centreCamera(this.view, this.scene.layout, point, scale), still)
  }

  private accepts(event: PointerEvent): boolean {
    if (event.pointerType === 'touch') return true
    return event.button === 0 && !this.options.isTaken(event)
  }

  /** A movement by the reader. */
  private move(camera: Camera): void {
    this.touched = true
    this.flight = null
    this.view = camera
    this.request()
  }

  private flyTo(to: Camera, still = this.options.still): void {
    if (still || this.view.width === 0) {
      this.flight = null
      this.view = to
    } else this.flight = { from: this.view, to, begun: performance.now() }
    this.request()
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas
    this.view = { ...this.view, width, height }
  }

  private resize(): void {
    const { width, height } = this.view
    this.measure()
    if (width === this.view.width && height === this.view.height) return
    this.adapt()
    this.request()
  }

  /** Fits what is new, unless the reader has chosen a place. */
  private adapt(): void {
    if (!this.scene || this.view.width === 0 || this.touched) return
    this.flight = null
    this.view = fitCamera(this.scene.layout, this.view)
  }

  private request(): void {
    this.frame ??= requestAnimationFrame(() => this.paint())
  }

  /** What moves by itself: the view on its way, nodes between two layouts. */
  private advance(now: number): void {
    if (this.flight) {
      const { from, to, begun } = this.flight
      const share = Math.min((now - begun) / FLIGHT_MS, 1)
      this.view = mixCameras(from, to, ease(share))
      if (share >= 1) this.flight = null
    }
    if (this.tween) {
      const share = (now - this.tween.begun) / TWEEN_MS
      this.tween.tween.step(share)
      if (share >= 1) this.tween = null
    }
    if (this.flight || this.tween) this.request()
  }

  private paint(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame)
    this.frame = null
    const ctx = this.canvas.getContext('2d')
    if (!ctx || !this.scene || this.view.width === 0) return
    this.advance(performance.now())
    const ratio = window.devicePixelRatio || 1
    const width = Math.round(this.view.width * ratio)
    const height = Math.round(this.view.height * ratio)
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width
      this.canvas.height = height
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    ctx.clearRect(0, 0, this.view.width, this.view.height)
    drawTree(ctx, this.scene, this.view, this.state)
    this.canvas.dataset.painted = String(this.scene.layout.nodes.length)
    for (const watcher of this.watchers) watcher()
  }

  /** A point of the canvas in the layout's units. */
  invert(x: number, y: number): { x: number; y: number } {
    return toDrawing(this.view, x, y)
  }
}

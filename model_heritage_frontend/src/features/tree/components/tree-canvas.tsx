import { MaximizeIcon, MinusIcon, PlusIcon } from 'lucide-react'
import { useTheme } from 'next-themes'
import {
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from 'react'

import { Button } from '@/components/ui/button'
import { useReducedMotion } from '@/hooks/use-media'
import { cn } from '@/lib/cn'
import { plural } from '@/lib/format'

import { chooseDetail, drawTree, nodeCaption, readPalette } from '../draw'
import {
  dotX,
  findKin,
  findNodeAt,
  nodeName,
  stepFrom,
  type Step,
  type TreeLayout,
  type TreeNode,
} from '../layout'
import { useTreeView } from '../use-tree-view'
import { HoverCard } from './hover-card'

interface TreeCanvasProps {
  layout: TreeLayout
  label: string
  selected: string | null
  onSelect: (id: string | null) => void
  /** Enter or a double click on a model. */
  onOpen: (id: string) => void
  /** A model to bring into view; a new object asks anew. */
  found?: { id: string } | null
  /** Inside a page that scrolls: see useTreeView. */
  gentle?: boolean
  /** How high it would like to be, in pixels; className may set limits. */
  height?: number
  className?: string
}

/** The least scale at which a model that was searched for is shown. */
const READABLE = 0.7

const STEPS: Record<string, Step> = {
  ArrowLeft: 'parent',
  ArrowRight: 'child',
  ArrowUp: 'previous',
  ArrowDown: 'next',
}

function announce(node: TreeNode): string {
  const children =
    node.children.length > 0 ? `, ${plural(node.children.length, 'child', 'children')}` : ''
  const parent = node.parent ? `, parent ${nodeName(node.parent)}` : ''
  return `${nodeName(node)}: ${nodeCaption(node)}${parent}${children}`
}

/** A family painted on a canvas: pan, zoom, hover, click, and the arrow keys. */
export function TreeCanvas(props: TreeCanvasProps) {
  const {
    layout,
    label,
    selected,
    onSelect,
    onOpen,
    found = null,
    gentle = false,
    height,
    className,
  } = props
  const [canvas, setCanvas] = useState<HTMLCanvasElement | null>(null)
  const helpId = useId()
  const still = useReducedMotion()
  const { resolvedTheme } = useTheme()
  const [hovered, setHovered] = useState<TreeNode | null>(null)
  const [fontsReady, setFontsReady] = useState(false)
  const view = useTreeView(canvas, layout, { gentle, still })
  const { size, transform } = view

  useEffect(() => {
    let alive = true
    void document.fonts.ready.then(() => {
      if (alive) setFontsReady(true)
    })
    return () => {
      alive = false
    }
  }, [])

  const { centre } = view
  const shown = useRef(found)
  useEffect(() => {
    const node = found && found !== shown.current ? layout.byId.get(found.id) : undefined
    if (!node) return
    shown.current = found
    centre(node, READABLE)
  }, [found, layout, centre])

  const kin = useMemo(() => (hovered ? findKin(layout, hovered.id) : null), [layout, hovered])

  useEffect(() => {
    const ctx = canvas?.getContext('2d')
    if (!canvas || !ctx || size.width === 0) return
    const frame = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1
      const width = Math.round(size.width * ratio)
      const height = Math.round(size.height * ratio)
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width
        canvas.height = height
      }
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
      drawTree(
        ctx,
        layout,
        { scale: transform.k, x: transform.x, y: transform.y, ...size },
        { selected, hovered: hovered?.id ?? null, kin },
        readPalette(canvas),
      )
    })
    return () => cancelAnimationFrame(frame)
  }, [canvas, layout, size, transform, selected, hovered, kin, resolvedTheme, fontsReady])

  const nodeUnder = (event: { clientX: number; clientY: number; currentTarget: Element }) => {
    const box = event.currentTarget.getBoundingClientRect()
    const [x, y] = transform.invert([event.clientX - box.left, event.clientY - box.top])
    if (chooseDetail(transform.k) === 'cards') return findNodeAt(layout, x, y)
    // Zoomed out, a node is a dot: what counts is the nearest one within a finger's reach.
    const reach = 14 / transform.k
    let nearest: TreeNode | null = null
    let best = reach
    for (const node of layout.nodes) {
      const distance = Math.hypot(dotX(node, layout.size) - x, node.y - y)
      if (distance < best) {
        best = distance
        nearest = node
      }
    }
    return nearest
  }

  const select = (node: TreeNode | null) => onSelect(node?.id ?? null)

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key]
    if (step) {
      event.preventDefault()
      const first = layout.nodes[0] ?? null
      const next = selected && layout.byId.has(selected) ? stepFrom(layout, selected, step) : first
      if (!next) return
      select(next)
      view.centre(next)
      return
    }
    if (event.key === 'Enter' && selected && layout.byId.get(selected)?.model) onOpen(selected)
    else if (event.key === 'Escape') select(null)
    else if (event.key === '+' || event.key === '=') view.zoomBy(1.4)
    else if (event.key === '-') view.zoomBy(1 / 1.4)
    else if (event.key === '0') view.fit()
    else return
    event.preventDefault()
  }

  const onPointerMove = (event: PointerEvent) => {
    if (event.pointerType === 'touch') return
    const node = event.buttons === 0 ? nodeUnder(event) : null
    if (node !== hovered) setHovered(node)
  }

  const chosen = selected ? layout.byId.get(selected) : undefined
  return (
    <div className={cn('relative overflow-hidden', className)} style={{ height }}>
      <canvas
        ref={setCanvas}
        tabIndex={0}
        // eslint-disable-next-line jsx-a11y/no-interactive-element-to-noninteractive-role -- it takes keys
        role="application"
        aria-label={label}
        aria-describedby={helpId}
        className={cn(
          'absolute inset-0 size-full rounded-[inherit] outline-offset-[-3px]',
          gentle ? 'touch-pan-y' : 'touch-none',
          hovered ? 'cursor-pointer' : 'cursor-grab active:cursor-grabbing',
        )}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setHovered(null)}
        onWheel={() => setHovered(null)}
        onClick={(event) => select(nodeUnder(event))}
        onDoubleClick={(event) => {
          const node = nodeUnder(event)
          if (node?.model) onOpen(node.id)
        }}
      />
      <p id={helpId} className="sr-only">
        Arrow keys move between parent, children and siblings, Enter opens a model, plus and minus
        zoom, zero fits the tree. The list view says the same as text.
      </p>
      <p className="sr-only" aria-live="polite">
        {chosen ? announce(chosen) : ''}
      </p>
      {hovered && (
        <HoverCard
          node={hovered}
          x={transform.applyX(hovered.x)}
          y={transform.applyY(hovered.y)}
          offset={
            chooseDetail(transform.k) === 'cards' ? (layout.size.height / 2) * transform.k : 8
          }
          size={size}
        />
      )}
      <div className="absolute right-3 bottom-3 flex flex-col gap-1.5">
        <Button variant="outline" size="icon" aria-label="Zoom in" onClick={() => view.zoomBy(1.4)}>
          <PlusIcon aria-hidden />
        </Button>
        <Button
          variant="outline"
          size="icon"
          aria-label="Zoom out"
          onClick={() => view.zoomBy(1 / 1.4)}
        >
          <MinusIcon aria-hidden />
        </Button>
        <Button variant="outline" size="icon" aria-label="Fit the tree" onClick={view.fit}>
          <MaximizeIcon aria-hidden />
        </Button>
      </div>
    </div>
  )
}

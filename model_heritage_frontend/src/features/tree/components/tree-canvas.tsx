import { MaximizeIcon, MinusIcon, PlusIcon } from 'lucide-react'
import { useTheme } from 'next-themes'
import {
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from 'react'

import { Button } from '@/components/ui/button'
import { useReducedMotion } from '@/hooks/use-media'
import { cn } from '@/lib/cn'
import { treeWords } from '@/strings/tree'

import { toScreen } from '../camera'
import { makeColouring, type Colouring } from '../colouring'
import { readPalette } from '../draw/palette'
import { chooseDetail, makeScene } from '../draw/scene'
import { forgetText } from '../draw/text'
import { announceNode } from '../draw/words'
import { findKin, findNodeAt, stepFrom, type Step, type TreeLayout, type TreeNode } from '../layout'
import { TreeStage } from '../stage'
import { useDrag } from '../use-drag'
import { DragPreview } from './drag-preview'
import { HoverCard } from './hover-card'
import { Minimap } from './minimap'

export interface TreeCanvasProps {
  layout: TreeLayout
  /** What the colours tell; relations, where it is left out. */
  colouring?: Colouring
  label: string
  selected: string | null
  onSelect: (id: string | null) => void
  /** Enter or a double click on a model. */
  onOpen: (id: string) => void
  /** A group of siblings, or a model whose descendants are folded away, is to be shown in full. */
  onUnfold?: (node: TreeNode) => void
  /** Keys that the canvas does not know itself. Returns whether it was one. */
  onKey?: (key: string) => boolean
  /** A model was dropped onto the one that somebody holds for its parent. */
  onDrop?: ((child: TreeNode, parent: TreeNode) => void) | undefined
  /** A model to bring into view; a new object asks anew. */
  found?: { id: string } | null
  /** Inside a page that scrolls: see TreeStage. */
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

interface Hovered {
  node: TreeNode
  /** Where it is on the canvas. */
  x: number
  y: number
  offset: number
}

/** A family painted on a canvas: pan, zoom, hover, click, drag, and the arrow keys. */
export function TreeCanvas(props: TreeCanvasProps) {
  const { layout, label, selected, onSelect, onOpen, onUnfold, onKey, onDrop } = props
  const { found = null, gentle = false, height, className } = props
  const [stage, setStage] = useState<TreeStage | null>(null)
  const helpId = useId()
  const still = useReducedMotion()
  const { resolvedTheme } = useTheme()
  const [hovered, setHovered] = useState<Hovered | null>(null)
  const [fonts, setFonts] = useState(0)
  const relations = useMemo(() => makeColouring('relation', layout), [layout])
  const colouring = props.colouring ?? relations

  const attach = useCallback((canvas: HTMLCanvasElement) => {
    const made = new TreeStage(canvas)
    setStage(made)
    return () => {
      made.dispose()
      setStage(null)
    }
  }, [])

  const nodeAt = useCallback(
    (event: { clientX: number; clientY: number }): TreeNode | null => {
      if (!stage) return null
      const box = stage.canvas.getBoundingClientRect()
      const point = stage.invert(event.clientX - box.left, event.clientY - box.top)
      const { scale, scaleX } = stage.camera
      const cards = chooseDetail(layout, scale) === 'cards'
      const aspect = scaleX / scale
      return findNodeAt(layout, point.x, point.y, { cards, slack: 9 / scale, aspect })
    },
    [stage, layout],
  )
  const canHold = useCallback(
    () => stage !== null && chooseDetail(layout, stage.camera.scale) !== 'dots',
    [stage, layout],
  )
  const drag = useDrag({ stage, nodeAt, canHold, onDrop })

  useLayoutEffect(() => {
    stage?.configure({ gentle, still, isTaken: drag.isTaken })
  }, [stage, gentle, still, drag.isTaken])

  useEffect(() => {
    if (document.fonts.status === 'loaded') return
    let alive = true
    void document.fonts.ready.then(() => {
      forgetText()
      if (alive) setFonts((before) => before + 1)
    })
    return () => {
      alive = false
    }
  }, [])

  useLayoutEffect(() => {
    stage?.show(makeScene(layout, colouring, readPalette(stage.canvas)))
    // The theme changes what the palette reads, and fonts what texts measure.
  }, [stage, layout, colouring, resolvedTheme, fonts])

  const shown = useRef(found)
  useEffect(() => {
    const node = found && found !== shown.current ? layout.byId.get(found.id) : undefined
    if (!stage || !node) return
    shown.current = found
    stage.centre(node, READABLE)
  }, [found, layout, stage])

  const held = drag.held?.node ?? null
  const pointed = held ?? hovered?.node ?? null
  const kin = useMemo(
    () => (hovered && !held ? findKin(layout, hovered.node.id) : null),
    [layout, hovered, held],
  )
  const target = drag.held?.target?.id ?? null
  useEffect(() => {
    stage?.mark({ selected, hovered: pointed?.id ?? null, kin, target })
  }, [stage, selected, pointed, kin, target])

  const choose = (node: TreeNode | null) => {
    if (node?.more) onUnfold?.(node)
    else onSelect(node?.id ?? null)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = STEPS[event.key]
    const chosen = selected ? layout.byId.get(selected) : undefined
    if (step || event.key === 'Home') {
      event.preventDefault()
      const first = layout.nodes[0] ?? null
      const next = chosen && step ? stepFrom(layout, chosen.id, step) : first
      if (!next) return
      if (next.more) onUnfold?.(next)
      else {
        onSelect(next.id)
        stage?.centre(next)
      }
      return
    }
    if (event.key === 'Enter' && chosen?.model) onOpen(chosen.id)
    else if (event.key === ' ' && chosen) onUnfold?.(chosen)
    else if (event.key === 'Escape') onSelect(null)
    else if (event.key === '+' || event.key === '=') stage?.zoomBy(1.4)
    else if (event.key === '-') stage?.zoomBy(1 / 1.4)
    else if (event.key === '0' || event.key === 'f') stage?.fit()
    else if (!onKey?.(event.key)) return
    event.preventDefault()
  }

  const onPointerMove = (event: PointerEvent) => {
    if (event.pointerType === 'touch' || !stage) return
    const node = event.buttons === 0 ? nodeAt(event) : null
    if (node === (hovered?.node ?? null)) return
    const { scale } = stage.camera
    const cards = chooseDetail(layout, scale) === 'cards'
    setHovered(
      node && {
        node,
        ...toScreen(stage.camera, node),
        offset: cards ? (layout.size.height / 2) * scale : 8,
      },
    )
  }

  const chosen = selected ? layout.byId.get(selected) : undefined
  return (
    <div className={cn('relative overflow-hidden', className)} style={{ height }}>
      <canvas
        ref={attach}
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
        onPointerDown={drag.onPointerDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setHovered(null)}
        onWheel={() => setHovered(null)}
        onClick={(event) => {
          if (!drag.justDropped() && !stage?.hasMoved) choose(nodeAt(event))
        }}
        onDoubleClick={(event) => {
          const node = nodeAt(event)
          if (node?.model) onOpen(node.id)
        }}
      />
      <p id={helpId} className="sr-only">
        {treeWords.canvas.help}
      </p>
      <p className="sr-only" aria-live="polite">
        {chosen ? announceNode(chosen) : ''}
      </p>
      {hovered && stage && !held && <HoverCard {...hovered} size={stage.camera} />}
      {drag.held && <DragPreview held={drag.held} />}
      {stage && !gentle && <Minimap stage={stage} layout={layout} colouring={colouring} />}
      <div className="absolute right-3 bottom-3 flex flex-col gap-1.5">
        <Button
          variant="outline"
          size="icon"
          aria-label={treeWords.canvas.zoomIn}
          onClick={() => stage?.zoomBy(1.4)}
        >
          <PlusIcon aria-hidden />
        </Button>
        <Button
          variant="outline"
          size="icon"
          aria-label={treeWords.canvas.zoomOut}
          onClick={() => stage?.zoomBy(1 / 1.4)}
        >
          <MinusIcon aria-hidden />
        </Button>
        <Button
          variant="outline"
          size="icon"
          aria-label={treeWords.canvas.fit}
          onClick={() => stage?.fit()}
        >
          <MaximizeIcon aria-hidden />
        </Button>
      </div>
    </div>
  )
}

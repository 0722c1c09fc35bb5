import { toDrawing, toScreen, type Camera } from '../camera'
import type { TreeLayout, TreeNode } from '../layout'

/** Beyond this many nodes a change is shown at once: each step would cost a whole frame. */
const MOST = 2500

interface Way {
  node: TreeNode
  fromX: number
  fromY: number
  toX: number
  toY: number
}

/** A movement of nodes between two layouts: `step` takes 0 to 1, and 1 is the layout as it is. */
export interface Tween {
  step: (progress: number) => void
}

const ease = (progress: number): number => 1 - (1 - progress) ** 3

/**
 * Lets every node begin where it (or its nearest ancestor) was on the screen. Returns null where
 * nothing is known of before, or too much would move.
 */
export function makeTween(
  before: { layout: TreeLayout; camera: Camera },
  layout: TreeLayout,
  camera: Camera,
): Tween | null {
  if (layout.nodes.length > MOST || before.layout.nodes.length > MOST) return null
  const ways: Way[] = []
  for (const node of layout.nodes) {
    let known: TreeNode | undefined
    for (let each: TreeNode | null = node; each && !known; each = each.parent) {
      known = before.layout.byId.get(each.id)
    }
    if (!known) continue
    const screen = toScreen(before.camera, known)
    const from = toDrawing(camera, screen.x, screen.y)
    ways.push({
      node,
      fromX: from.x,
      fromY: from.y,
      toX: node.x,
      toY: node.y,
    })
  }
  if (ways.length === 0) return null
  return {
    step: (progress) => {
      const share = progress >= 1 ? 1 : ease(progress)
      for (const { node, fromX, fromY, toX, toY } of ways) {
        node.x = share === 1 ? toX : fromX + (toX - fromX) * share
        node.y = share === 1 ? toY : fromY + (toY - fromY) * share
      }
    },
  }
}

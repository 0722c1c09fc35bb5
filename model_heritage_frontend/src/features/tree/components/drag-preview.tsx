import { treeWords } from '@/strings/tree'

import type { Held } from '../use-drag'

/** What follows the pointer while a model is dragged: its name, and what a drop would state. */
export function DragPreview({ held: { node, target, x, y } }: { held: Held }) {
  return (
    <div
      aria-hidden
      className="bg-popover pointer-events-none absolute z-20 max-w-72 rounded-lg border px-3 py-2 text-sm shadow-lg"
      style={{ left: x + 14, top: y + 14 }}
    >
      <p className="truncate font-medium">{node.name}</p>
      <p className="text-muted-foreground mt-0.5 text-xs [overflow-wrap:anywhere]">
        {target ? treeWords.drag.childOf(target.name) : treeWords.drag.drop}
      </p>
    </div>
  )
}

import { Button } from '@/components/ui/button'
import { treeWords } from '@/strings/tree'

import { memberName, type Genealogy } from '../genealogy'
import type { TreeLayout } from '../layout'
import type { TreeViewState } from '../view-state'

interface FocusBarProps {
  genealogy: Genealogy
  layout: TreeLayout
  view: TreeViewState
}

/** Says when less than the whole family is shown, and offers the rest. */
export function FocusBar({ genealogy, layout, view }: FocusBarProps) {
  if (view.view === 'list') return null
  const focus = view.folding.focus === null ? undefined : genealogy.byId.get(view.folding.focus)
  const grouped = layout.nodes.reduce((sum, node) => sum + (node.more?.length ?? 0), 0)
  if (!focus && grouped === 0 && !view.folding.allSiblings) return null
  return (
    <div className="text-muted-foreground flex flex-wrap items-center gap-x-3 gap-y-2 text-sm">
      {focus && (
        <>
          <span>
            {treeWords.focus.only}{' '}
            <span className="text-foreground font-medium">{memberName(focus)}</span>{' '}
            {treeWords.focus.andIts(focus.below)}
          </span>
          <Button variant="outline" size="sm" onClick={() => view.setFocus(null)}>
            {treeWords.focus.whole}
          </Button>
        </>
      )}
      {grouped > 0 && (
        <>
          <span>{treeWords.focus.grouped(grouped)}</span>
          <Button variant="outline" size="sm" onClick={() => view.setAllSiblings(true)}>
            {treeWords.focus.allSiblings}
          </Button>
        </>
      )}
      {view.folding.allSiblings && (
        <Button variant="outline" size="sm" onClick={() => view.setAllSiblings(false)}>
          {treeWords.focus.group}
        </Button>
      )}
    </div>
  )
}

import { useMemo } from 'react'

import { useQueryParam } from '@/hooks/use-query-param'

import type { AxisKind } from './axis'
import { COLOURINGS, type ColouringKind } from './colouring'
import { findAncestors, type Folding } from './visible'
import type { Genealogy } from './genealogy'

/** All of a tree's view is in the address: a link shows another person the same. */

export const VIEWS = ['tree', 'radial', 'list'] as const
export type ViewKind = (typeof VIEWS)[number]

const AXES = ['depth', 'distance', 'date'] as const

const oneOf = <T extends string>(all: readonly T[], value: string, fallback: T): T =>
  all.find((each) => each === value) ?? fallback

/** Ids in one parameter; ids have no commas in them. */
const splitIds = (text: string): ReadonlySet<string> => new Set(text === '' ? [] : text.split(','))

export function toggleId(text: string, id: string): string | null {
  const ids = new Set(splitIds(text))
  if (!ids.delete(id)) ids.add(id)
  return ids.size > 0 ? [...ids].join(',') : null
}

export interface TreeViewState {
  selected: string | null
  select: (id: string | null) => void
  view: ViewKind
  setView: (view: ViewKind) => void
  axis: AxisKind
  setAxis: (axis: AxisKind) => void
  colouring: ColouringKind
  setColouring: (kind: ColouringKind) => void
  folding: Folding
  setFocus: (id: string | null) => void
  /** Folds a model's descendants away, or shows them again. */
  toggleFold: (id: string) => void
  /** Shows a large group of siblings in full. */
  openGroup: (parent: string) => void
  setAllSiblings: (all: boolean) => void
}

export function useTreeViewState(genealogy: Genealogy): TreeViewState {
  const [selected, select] = useQueryParam('model')
  const [view, setView] = useQueryParam('view', 'tree')
  const [axis, setAxis] = useQueryParam('x', 'depth')
  const [colour, setColour] = useQueryParam('colour', 'relation')
  const [focus, setFocus] = useQueryParam('focus')
  const [fold, setFold] = useQueryParam('fold')
  const [open, setOpen] = useQueryParam('open')
  const all = open === 'all'
  const folding = useMemo<Folding>(() => {
    const above = selected === '' ? new Set<string>() : findAncestors(genealogy, selected)
    const inFocus =
      focus !== '' &&
      genealogy.byId.has(focus) &&
      (selected === '' || selected === focus || above.has(focus) || !genealogy.byId.has(selected))
    return {
      focus: inFocus ? focus : null,
      // Who is chosen is shown, even if an older link folded it away.
      folded: new Set([...splitIds(fold)].filter((id) => !above.has(id))),
      opened: splitIds(open),
      allSiblings: all,
      kept: new Set(selected === '' ? [] : [selected]),
    }
  }, [genealogy, selected, focus, fold, open, all])
  return {
    selected: selected === '' ? null : selected,
    select,
    view: oneOf(VIEWS, view, 'tree'),
    setView,
    axis: oneOf(AXES, axis, 'depth'),
    setAxis,
    colouring: oneOf(COLOURINGS, colour, 'relation'),
    setColouring: setColour,
    folding,
    setFocus,
    toggleFold: (id) => setFold(toggleId(fold, id)),
    openGroup: (parent) => setOpen(all ? 'all' : toggleId(open, parent)),
    setAllSiblings: (next) => setOpen(next ? 'all' : null),
  }
}

import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'

import { paths } from '@/lib/paths'

const GO: Record<string, string> = {
  h: paths.home,
  m: paths.models,
  f: paths.families,
  c: paths.compare(),
  s: paths.statistics,
  j: paths.jobs,
  a: paths.add,
}
/** How long after "g" the second key may come, in milliseconds. */
const PATIENCE = 1200

/** Where keys are text, or belong to what is open. */
const OWNED =
  'input, textarea, select, [contenteditable="true"], [role="dialog"], [role="alertdialog"], [role="menu"]'

const isOwned = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest(OWNED) !== null

/** The search field of this page, if it has one. */
function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('input[data-search]')
  field?.focus()
  field?.select()
  return field !== null
}

/** Keys that work on every page; a tree or a dialog that takes a key keeps it. */
export function useShortcuts(onHelp: () => void): void {
  const navigate = useNavigate()
  const goAt = useRef(-Infinity)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (isOwned(event.target)) return
      const going = event.timeStamp - goAt.current < PATIENCE
      goAt.current = event.key === 'g' ? event.timeStamp : -Infinity
      const target = going ? GO[event.key] : undefined
      if (target !== undefined) void navigate(target)
      else if (event.key === '?') onHelp()
      else if (event.key === '/') {
        if (!focusSearch()) void navigate(paths.models, { state: { search: true } })
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [navigate, onHelp])
}

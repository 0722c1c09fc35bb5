import { ChevronRightIcon, GhostIcon } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { Link, useNavigate } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { StatedBadge } from '@/components/stated-badge'
import { Button } from '@/components/ui/button'
import { cn } from '@/lib/cn'
import { formatCompact, formatNumber, formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import { treeWords } from '@/strings/tree'

import { memberName, type Genealogy, type Member } from '../genealogy'
import { chooseOpen, listRows, type GridRow } from '../rows'
import { findAncestors } from '../visible'

/** Rows have one height, so that only those in view need to exist. */
const ROW = 44
const OVERSCAN = 12
const COLUMNS =
  'grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 md:grid-cols-[minmax(0,1fr)_11rem_9rem_7rem]'

interface TreeGridProps {
  genealogy: Genealogy
  selected: string | null
  onSelect: (id: string | null) => void
  label: string
}

function Name({ member }: { member: Member }) {
  if (member.model) {
    return (
      <Link
        to={paths.model(member.id)}
        tabIndex={-1}
        className="hover:text-primary truncate font-medium underline-offset-4 hover:underline"
        onClick={(event) => event.stopPropagation()}
      >
        {member.model.name}
      </Link>
    )
  }
  return (
    <span className="text-muted-foreground flex min-w-0 items-center gap-2 italic">
      <GhostIcon aria-hidden className="size-4 shrink-0" />
      <span className="truncate">
        {treeWords.possibleAncestor(formatPercent(member.ghost?.confidence ?? 0))}
      </span>
    </span>
  )
}

function Trust({ member }: { member: Member }) {
  if (!member.edge) return null
  const author = member.edge.evidence.stated_by
  return author === null ? (
    <Confidence value={member.edge.confidence} />
  ) : (
    <StatedBadge author={author} />
  )
}

/** The names of further parents of merges, by child. */
function findFurtherParents({ tree, byId }: Genealogy): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const edge of tree.edges) {
    const parent = edge.main ? undefined : byId.get(edge.parent)
    if (!parent) continue
    const before = names.get(edge.child)
    names.set(edge.child, before ? `${before}, ${memberName(parent)}` : memberName(parent))
  }
  return names
}

/**
 * The family as a treegrid: what the canvas draws, as rows that a screen reader and the keyboard walk
 * through. Right opens a row or goes into it, left closes it or goes to its parent.
 */
export function TreeGrid({ genealogy, selected, onSelect, label }: TreeGridProps) {
  const navigate = useNavigate()
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const initial = useMemo(() => chooseOpen(genealogy), [genealogy])
  const above = useMemo(
    () => (selected === null ? new Set<string>() : findAncestors(genealogy, selected)),
    [genealogy, selected],
  )
  const rows = useMemo(() => {
    const open = new Set([...initial, ...above])
    for (const id of toggled) if (!open.delete(id)) open.add(id)
    return listRows(genealogy, open)
  }, [genealogy, initial, above, toggled])
  const further = useMemo(() => findFurtherParents(genealogy), [genealogy])
  const [active, setActive] = useState<string | null>(selected)
  const current = Math.max(
    rows.findIndex((row) => row.member.id === active),
    0,
  )
  const body = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const asked = useRef(false)

  const look = (element: HTMLElement) =>
    setView({ top: element.scrollTop, height: element.clientHeight || 600 })

  /** Brings a row into view, and the keyboard to it. */
  const goTo = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)]
    const element = body.current
    if (!row || !element) return
    const place = rows.indexOf(row) * ROW
    if (place < element.scrollTop) element.scrollTop = place
    else if (place + ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = place + ROW - element.clientHeight
    }
    look(element)
    asked.current = true
    setActive(row.member.id)
  }

  useEffect(() => {
    if (!asked.current) return
    asked.current = false
    body.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus()
  })

  const first = useRef(true)
  useLayoutEffect(() => {
    const element = body.current
    if (!element || !first.current) return
    first.current = false
    element.scrollTop = Math.max(0, (current - 3) * ROW)
  }, [current])

  const toggle = (id: string) => {
    const next = new Set(toggled)
    if (!next.delete(id)) next.add(id)
    setToggled(next)
  }

  const onKeyDown = (event: KeyboardEvent, row: GridRow, index: number) => {
    const { member } = row
    const page = Math.max(Math.floor(view.height / ROW) - 1, 1)
    const parent = () => rows.findIndex((each) => each.member === member.parent)
    switch (event.key) {
      case 'ArrowDown':
        goTo(index + 1)
        break
      case 'ArrowUp':
        goTo(index - 1)
        break
      case 'PageDown':
        goTo(index + page)
        break
      case 'PageUp':
        goTo(index - page)
        break
      case 'Home':
        goTo(0)
        break
      case 'End':
        goTo(rows.length - 1)
        break
      case 'ArrowRight':
        if (member.children.length > 0 && !row.open) toggle(member.id)
        else if (row.open) goTo(index + 1)
        break
      case 'ArrowLeft':
        if (row.open) toggle(member.id)
        else if (member.parent) goTo(parent())
        break
      case ' ':
        onSelect(member.id === selected ? null : member.id)
        break
      case 'Enter':
        if (event.target !== event.currentTarget) return
        if (member.model) void navigate(paths.model(member.id))
        break
      default:
        return
    }
    event.preventDefault()
  }

  const from = Math.max(Math.floor(view.top / ROW) - OVERSCAN, 0)
  const to = Math.min(Math.ceil((view.top + view.height) / ROW) + OVERSCAN, rows.length)
  const folded = genealogy.members.length - rows.length
  return (
    <div>
      <div
        role="treegrid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={4}
        className="text-sm"
      >
        <div role="row" aria-rowindex={1} className={cn(COLUMNS, 'border-b px-4 py-2.5 sm:px-5')}>
          {treeWords.grid.columns.map((title, index) => (
            <span
              key={title}
              role="columnheader"
              className={cn(
                'text-muted-foreground font-medium',
                index === 1 && 'max-md:sr-only',
                index === 2 && 'max-md:text-right',
                index === 3 && 'text-right max-md:hidden',
              )}
            >
              {title}
            </span>
          ))}
        </div>
        <div
          ref={body}
          role="rowgroup"
          className="max-h-[min(68vh,56rem)] overflow-y-auto"
          onScroll={(event) => look(event.currentTarget)}
        >
          <div role="presentation" style={{ height: from * ROW }} />
          {rows.slice(from, to).map((row, offset) => {
            const index = from + offset
            const { member, level } = row
            const also = further.get(member.id)
            return (
              <div
                key={member.id}
                role="row"
                aria-rowindex={index + 2}
                aria-level={level}
                aria-posinset={row.position}
                aria-setsize={row.siblings}
                aria-expanded={member.children.length > 0 ? row.open : undefined}
                aria-selected={member.id === selected}
                tabIndex={index === current ? 0 : -1}
                style={{ height: ROW }}
                className={cn(
                  COLUMNS,
                  'hover:bg-muted/60 cursor-pointer px-4 outline-offset-[-2px] sm:px-5',
                  member.id === selected && 'bg-accent hover:bg-accent',
                )}
                onKeyDown={(event) => onKeyDown(event, row, index)}
                onFocus={() => setActive(member.id)}
                onClick={() => onSelect(member.id)}
              >
                <span
                  role="gridcell"
                  className="flex min-w-0 items-center gap-1.5"
                  // Very deep chains stop moving to the right: they would leave the screen.
                  style={{ paddingLeft: `${Math.min(level - 1, 14) * 1.1}rem` }}
                >
                  {member.children.length > 0 ? (
                    <button
                      type="button"
                      tabIndex={-1}
                      aria-hidden
                      className="text-muted-foreground hover:bg-muted -ml-1 grid size-6 shrink-0 place-items-center rounded-sm"
                      onClick={(event) => {
                        event.stopPropagation()
                        toggle(member.id)
                      }}
                    >
                      <ChevronRightIcon
                        className={cn('size-4 transition-transform', row.open && 'rotate-90')}
                      />
                    </button>
                  ) : (
                    <span className="w-5 shrink-0" />
                  )}
                  <Name member={member} />
                  {also && (
                    <span className="text-muted-foreground truncate text-xs max-sm:hidden">
                      {treeWords.grid.alsoFrom(also)}
                    </span>
                  )}
                  {member.children.length > 0 && !row.open && (
                    <span className="text-muted-foreground shrink-0 text-xs">
                      +{formatNumber(member.below)}
                    </span>
                  )}
                </span>
                <span role="gridcell" className="max-md:hidden">
                  {member.edge ? (
                    <RelationBadge relation={member.edge.relation} />
                  ) : (
                    !member.parent &&
                    member.model &&
                    member.below > 0 && (
                      <span className="text-muted-foreground">{treeWords.grid.root}</span>
                    )
                  )}
                </span>
                <span role="gridcell" className="max-md:justify-self-end">
                  <Trust member={member} />
                </span>
                <span
                  role="gridcell"
                  className="text-muted-foreground text-right tabular-nums max-md:hidden"
                >
                  {formatCompact(member.model?.total_parameters ?? null)}
                </span>
              </div>
            )
          })}
          <div role="presentation" style={{ height: (rows.length - to) * ROW }} />
        </div>
      </div>
      {(folded > 0 || toggled.size > 0) && (
        <div className="text-muted-foreground flex flex-wrap items-center gap-3 border-t px-4 py-2.5 text-sm sm:px-5">
          <span>{folded > 0 ? treeWords.grid.closed(folded) : treeWords.grid.allOpen}</span>
          {folded > 0 && (
            <Button
              size="sm"
              variant="outline"
              onClick={() => {
                const closed = genealogy.members.filter(
                  (each) =>
                    each.children.length > 0 && !initial.has(each.id) && !above.has(each.id),
                )
                setToggled(new Set(closed.map((each) => each.id)))
              }}
            >
              {treeWords.grid.openAll}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

import { useWindowVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'

interface WindowRowsOptions {
  /** Rows that are loaded. */
  count: number
  /** Height of a row in pixels, before it is measured. */
  estimate: number
  hasMore: boolean
  isLoading: boolean
  onMore: () => void
}

interface WindowRows<T extends HTMLElement> {
  /** For the element that holds the rows. */
  holder: RefObject<T | null>
  rows: Virtualizer<Window, Element>
  /** Pixels above the rows that are drawn, and below them. */
  before: number
  after: number
}

/** Rows from the end at which the next page is asked for. */
const AHEAD = 12

/**
 * Draws only the rows of a long list that are in view of the window, and asks for more where it
 * ends.
 */
export function useWindowRows<T extends HTMLElement>({
  count,
  estimate,
  hasMore,
  isLoading,
  onMore,
}: WindowRowsOptions): WindowRows<T> {
  const holder = useRef<T>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const measure = () => {
      const box = holder.current?.getBoundingClientRect()
      if (box) setTop(Math.round(box.top + window.scrollY))
    }
    measure()
    // Whatever is above the list may change its height, such as chips of filters.
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])
  const rows = useWindowVirtualizer({
    count,
    estimateSize: () => estimate,
    overscan: 6,
    scrollMargin: top,
  })
  const drawn = rows.getVirtualItems()
  const first = drawn[0]
  const last = drawn.at(-1)
  const wanted = hasMore && !isLoading && last !== undefined && last.index >= count - AHEAD
  useEffect(() => {
    if (wanted) onMore()
  }, [wanted, onMore])
  return {
    holder,
    rows,
    before: first ? first.start - top : 0,
    after: last ? rows.getTotalSize() - (last.end - top) : 0,
  }
}

import { useEffect } from 'react'

/** Names the browser tab; also what a screen reader says when a page opens. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === '' ? 'Model Heritage' : `${title} · Model Heritage`
  }, [title])
}

import { useEffect } from 'react'

import { commonWords } from '@/strings/common'

/** Names the browser tab; also what a screen reader says when a page opens. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = commonWords.browserTab(title)
  }, [title])
}

import { useState } from 'react'

import { keep, recall } from '@/lib/keep'

const KEY = 'model-heritage.author'

/** The name under which somebody states things, remembered by this browser. */
export function useAuthor(): [author: string, setAuthor: (author: string) => void] {
  const [author, setAuthor] = useState(() => recall(KEY) ?? '')
  const remember = (next: string) => {
    setAuthor(next)
    keep(KEY, next)
  }
  return [author, remember]
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { sessionQuery } from '@/hooks/queries'
import { keep, recall } from '@/lib/keep'

const KEY = 'model-heritage.author'

interface Author {
  author: string
  setAuthor: (author: string) => void
  /** Whether the server knows who it is, and asks nobody. */
  isKnown: boolean
}

/** The name under which somebody states things: of who is signed in, or as this browser keeps it. */
export function useAuthor(): Author {
  const { data: session } = useQuery(sessionQuery())
  const [kept, setKept] = useState(() => recall(KEY) ?? '')
  const setAuthor = (next: string) => {
    setKept(next)
    keep(KEY, next)
  }
  const isKnown = session !== undefined && session.access !== 'open'
  return { author: isKnown ? session.name : kept, setAuthor, isKnown }
}

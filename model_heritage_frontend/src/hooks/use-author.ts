import { useState } from 'react'

const KEY = 'model-heritage.author'

/** Browsers may forbid keeping anything; the name is then asked for again on every page. */
function read(): string {
  try {
    return localStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

function keep(author: string): void {
  try {
    localStorage.setItem(KEY, author)
  } catch {
    // See read().
  }
}

/** The name under which somebody states things, remembered by this browser. */
export function useAuthor(): [author: string, setAuthor: (author: string) => void] {
  const [author, setAuthor] = useState(read)
  const remember = (next: string) => {
    setAuthor(next)
    keep(next)
  }
  return [author, remember]
}

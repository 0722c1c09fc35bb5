import { SearchIcon, XIcon } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'react-router'

import { Input } from '@/components/ui/input'
import { modelParts } from '@/strings/models'

const words = modelParts.searchField

interface SearchFieldProps {
  value: string
  onChange: (value: string) => void
}

export function SearchField({ value, onChange }: SearchFieldProps) {
  // The field has its own copy, so that typing never waits for the address to change.
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  if (value !== known) {
    setKnown(value)
    setText(value)
  }
  const field = useRef<HTMLInputElement>(null)
  const { state } = useLocation() as { state: { search?: boolean } | null }
  const wanted = state?.search === true
  useEffect(() => {
    // The shortcut for the search was pressed on another page.
    if (wanted) field.current?.focus()
  }, [wanted])
  const edit = (next: string) => {
    setText(next)
    setKnown(next)
    onChange(next)
  }
  return (
    <div className="relative w-full sm:max-w-xs sm:min-w-56 sm:flex-1">
      <SearchIcon
        aria-hidden
        className="text-muted-foreground pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2"
      />
      <Input
        ref={field}
        data-search
        type="search"
        aria-label={words.searchModelsByName}
        placeholder={words.searchByName}
        className="pl-9 [&::-webkit-search-cancel-button]:hidden"
        value={text}
        onChange={(event) => edit(event.target.value)}
      />
      {text !== '' && (
        <button
          type="button"
          aria-label={words.clearSearch}
          onClick={() => edit('')}
          className="text-muted-foreground hover:text-foreground absolute top-1/2 right-2 grid size-6 -translate-y-1/2 place-items-center rounded"
        >
          <XIcon className="size-4" aria-hidden />
        </button>
      )}
    </div>
  )
}

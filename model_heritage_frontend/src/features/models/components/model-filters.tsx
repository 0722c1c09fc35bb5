import { SearchIcon, XIcon } from 'lucide-react'
import { useState } from 'react'

import { Button } from '@/components/ui/button'
import { Input, NativeSelect } from '@/components/ui/input'
import { RELATION_WORDS } from '@/lib/relations'
import { RELATIONS, type Family } from '@/lib/types'

export const SORTS = {
  name: 'Name, A to Z',
  '-name': 'Name, Z to A',
  '-created_at': 'Newest first',
  created_at: 'Oldest first',
  '-total_parameters': 'Largest first',
  total_parameters: 'Smallest first',
} as const

export interface FilterValues {
  search: string
  family: string
  relation: string
  status: string
  sort: string
}

interface ModelFiltersProps {
  values: FilterValues
  families: Family[]
  onChange: (name: keyof FilterValues, value: string) => void
  onClear: () => void
}

export const isFiltered = (values: FilterValues): boolean =>
  [values.search, values.family, values.relation, values.status].some((value) => value !== '')

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  // The field has its own copy, so that typing never waits for the address to change.
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  if (value !== known) {
    setKnown(value)
    setText(value)
  }
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
        type="search"
        aria-label="Search models by name"
        placeholder="Search by name"
        className="pl-9 [&::-webkit-search-cancel-button]:hidden"
        value={text}
        onChange={(event) => edit(event.target.value)}
      />
      {text !== '' && (
        <button
          type="button"
          aria-label="Clear search"
          onClick={() => edit('')}
          className="text-muted-foreground hover:text-foreground absolute top-1/2 right-2 grid size-6 -translate-y-1/2 place-items-center rounded"
        >
          <XIcon className="size-4" aria-hidden />
        </button>
      )}
    </div>
  )
}

export function ModelFilters({ values, families, onChange, onClear }: ModelFiltersProps) {
  const select = (name: keyof FilterValues) => ({
    value: values[name],
    onChange: (event: { target: { value: string } }) => onChange(name, event.target.value),
  })
  return (
    <div role="search" className="flex flex-wrap items-center gap-2.5">
      <SearchField value={values.search} onChange={(value) => onChange('search', value)} />
      <div className="grid w-full grid-cols-2 gap-2.5 sm:flex sm:w-auto sm:flex-wrap">
        <NativeSelect aria-label="Family" className="sm:w-44" {...select('family')}>
          <option value="">All families</option>
          {families.map((family) => (
            <option key={family.id} value={family.id}>
              {family.name} ({family.size})
            </option>
          ))}
        </NativeSelect>
        <NativeSelect aria-label="Relation to parent" className="sm:w-40" {...select('relation')}>
          <option value="">Any relation</option>
          <option value="root">Root</option>
          {RELATIONS.map((relation) => (
            <option key={relation} value={relation}>
              {RELATION_WORDS[relation].label}
            </option>
          ))}
        </NativeSelect>
        <NativeSelect aria-label="Status" className="sm:w-36" {...select('status')}>
          <option value="">Any status</option>
          <option value="ok">Ready</option>
          <option value="processing">Processing</option>
          <option value="error">Error</option>
        </NativeSelect>
        <NativeSelect aria-label="Sort by" className="sm:w-40" {...select('sort')}>
          {Object.entries(SORTS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </NativeSelect>
      </div>
      {isFiltered(values) && (
        <Button variant="ghost" size="sm" onClick={onClear}>
          <XIcon aria-hidden />
          Clear filters
        </Button>
      )}
    </div>
  )
}

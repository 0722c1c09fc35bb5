import { LayoutGridIcon, TableIcon } from 'lucide-react'

import { Input, NativeSelect } from '@/components/ui/input'
import { Segmented } from '@/components/ui/segmented'
import { plural } from '@/lib/format'

import { SORTS } from '../sorts'

const VIEWS = [
  { value: 'cards', label: 'Cards', icon: <LayoutGridIcon aria-hidden /> },
  { value: 'table', label: 'Table', icon: <TableIcon aria-hidden /> },
] as const

export type ForestView = (typeof VIEWS)[number]['value']

interface ForestToolbarProps {
  search: string
  onSearch: (search: string) => void
  sort: string
  onSort: (sort: string) => void
  view: ForestView
  onView: (view: ForestView) => void
  total: number | null
}

export function ForestToolbar(props: ForestToolbarProps) {
  const { search, onSearch, sort, onSort, view, onView, total } = props
  return (
    <div className="mb-6 flex flex-wrap items-center gap-3">
      <Input
        type="search"
        data-search
        aria-label="Search families by name"
        placeholder="Search families"
        className="w-full sm:w-64"
        value={search}
        onChange={(event) => onSearch(event.target.value)}
      />
      <NativeSelect
        aria-label="Order"
        className="w-auto"
        value={SORTS.some((each) => each.value === sort) ? sort : ''}
        onChange={(event) => onSort(event.target.value)}
      >
        {!SORTS.some((each) => each.value === sort) && <option value="">As the table</option>}
        {SORTS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      <p role="status" className="text-muted-foreground text-sm">
        {total !== null && plural(total, 'family', 'families')}
      </p>
      <div className="ml-auto">
        <Segmented
          label="How to show the families"
          value={view}
          options={VIEWS}
          onChange={onView}
        />
      </div>
    </div>
  )
}

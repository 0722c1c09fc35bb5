import { LayoutGridIcon, TableIcon } from 'lucide-react'

import { Input, NativeSelect } from '@/components/ui/input'
import { Segmented } from '@/components/ui/segmented'
import { familyWords } from '@/strings/families'

import { SORTS } from '../sorts'

const VIEWS = [
  { value: 'cards', label: familyWords.toolbar.views.cards, icon: <LayoutGridIcon aria-hidden /> },
  { value: 'table', label: familyWords.toolbar.views.table, icon: <TableIcon aria-hidden /> },
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
        aria-label={familyWords.toolbar.search}
        placeholder={familyWords.toolbar.placeholder}
        className="w-full sm:w-64"
        value={search}
        onChange={(event) => onSearch(event.target.value)}
      />
      <NativeSelect
        aria-label={familyWords.toolbar.order}
        className="w-auto"
        value={SORTS.some((each) => each.value === sort) ? sort : ''}
        onChange={(event) => onSort(event.target.value)}
      >
        {!SORTS.some((each) => each.value === sort) && (
          <option value="">{familyWords.toolbar.asTable}</option>
        )}
        {SORTS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      <p role="status" className="text-muted-foreground text-sm">
        {total !== null && familyWords.count(total)}
      </p>
      <div className="ml-auto">
        <Segmented
          label={familyWords.toolbar.view}
          value={view}
          options={VIEWS}
          onChange={onView}
        />
      </div>
    </div>
  )
}

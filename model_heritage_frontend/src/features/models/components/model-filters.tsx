import { SlidersHorizontalIcon } from 'lucide-react'
import { useId, useState } from 'react'

import { Button } from '@/components/ui/button'
import { NativeSelect } from '@/components/ui/input'
import { cn } from '@/lib/cn'
import { formatNumber } from '@/lib/format'
import { RELATIONS, STATUSES, type Family } from '@/lib/types'
import { modelParts } from '@/strings/models'

import {
  CONFLICT_LABELS,
  describeRelation,
  listChips,
  SORTS,
  STATUS_LABELS,
  writeMoments,
  type Chip,
} from '../filters'
import { useFacets, type FacetCounts } from '../use-facets'
import type { FilterControl } from '../use-filters'
import { DateRange } from './date-range'
import { FilterChips } from './filter-chips'
import { ParameterRange } from './parameter-range'
import { SearchField } from './search-field'

const words = modelParts.modelFilters

interface ModelFiltersProps {
  control: FilterControl
  families: Family[]
  /** The search once typing has paused, for the counts. */
  search: string
}

const withCount = (label: string, count: number | undefined): string =>
  count === undefined ? label : `${label} (${formatNumber(count)})`

/** The choice in force is always offered, even if the counts do not know it. */
const offer = (known: Record<string, number>, chosen: string): string[] =>
  chosen === '' || chosen in known ? Object.keys(known) : [chosen, ...Object.keys(known)]

interface SelectsProps {
  control: FilterControl
  families: Family[]
  counts: FacetCounts
}

function Selects({ control, families, counts }: SelectsProps) {
  const { values, set, addTag } = control
  const select = (name: 'family' | 'relation' | 'status' | 'licence' | 'conflict') => ({
    value: values[name],
    onChange: (event: { target: { value: string } }) => set(name, event.target.value),
  })
  const tags = Object.entries(counts.tags).filter(([tag]) => !values.tag.includes(tag))
  return (
    <>
      <NativeSelect aria-label={words.family} className="sm:w-36" {...select('family')}>
        <option value="">{words.allFamilies}</option>
        {families.map((family) => (
          <option key={family.id} value={family.id}>
            {withCount(family.name, family.size)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.relationToParent} className="sm:w-36" {...select('relation')}>
        <option value="">{words.anyRelation}</option>
        <option value="root">{words.root}</option>
        <option value="leaf">{words.leafNoChildren}</option>
        {RELATIONS.map((relation) => (
          <option key={relation} value={relation}>
            {/* The filter also finds parents that are only a guess, which are not counted. */}
            {relation === 'unresolved'
              ? words.unresolved
              : withCount(describeRelation(relation), counts.relations[relation])}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.status} className="sm:w-32" {...select('status')}>
        <option value="">{words.anyStatus}</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {withCount(STATUS_LABELS[status] ?? status, counts.statuses[status])}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.licence} className="sm:w-32" {...select('licence')}>
        <option value="">{words.anyLicence}</option>
        {offer(counts.licences, values.licence).map((licence) => (
          <option key={licence} value={licence}>
            {withCount(licence, counts.licences[licence])}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        aria-label={words.tag}
        className="sm:w-30"
        value=""
        disabled={tags.length === 0}
        onChange={(event) => addTag(event.target.value)}
      >
        <option value="">{values.tag.length > 0 ? words.moreTags : words.anyTag}</option>
        {tags.map(([tag, count]) => (
          <option key={tag} value={tag}>
            {withCount(tag, count)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.claims} className="sm:w-36" {...select('conflict')}>
        <option value="">{words.anyClaims}</option>
        {Object.entries(CONFLICT_LABELS).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      <DateRange after={values.created_after} before={values.created_before} onChange={set} />
      <ParameterRange least={values.parameters_min} most={values.parameters_max} onChange={set} />
    </>
  )
}

/** Search and order always; the filters behind a button where the screen is narrow. */
export function ModelFilters({ control, families, search }: ModelFiltersProps) {
  const { values, set, removeTag, clear } = control
  const [open, setOpen] = useState(false)
  // The order does not count: without it, sorting anew asks for nothing.
  const { sort, ...filters } = values
  const counts = useFacets(writeMoments({ ...filters, search }))
  const chips = listChips(values, families)
  const panelId = useId()
  const remove = ({ name, tag }: Chip) => {
    if (tag === undefined) set(name, '')
    else removeTag(tag)
  }
  return (
    <div role="search" className="space-y-3">
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchField value={values.search} onChange={(value) => set('search', value)} />
        <Button
          variant="outline"
          className="sm:hidden"
          aria-expanded={open}
          aria-controls={panelId}
          onClick={() => setOpen(!open)}
        >
          <SlidersHorizontalIcon aria-hidden />
          {words.filters}
          {chips.length > 0 && ` (${chips.length})`}
        </Button>
        <NativeSelect
          aria-label={words.sortBy}
          className="w-auto flex-1 sm:ml-auto sm:w-44 sm:flex-none"
          value={sort}
          onChange={(event) => set('sort', event.target.value)}
        >
          {Object.entries(SORTS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </NativeSelect>
      </div>
      <div
        id={panelId}
        className={cn('grid grid-cols-2 gap-2.5 sm:flex sm:flex-wrap', !open && 'max-sm:hidden')}
      >
        <Selects control={control} families={families} counts={counts} />
      </div>
      {counts.failed && <p className="text-muted-foreground text-sm">{words.theCountsCouldNot}</p>}
      {(chips.length > 0 || values.search !== '') && (
        <FilterChips chips={chips} onRemove={remove} onClear={clear} />
      )}
    </div>
  )
}

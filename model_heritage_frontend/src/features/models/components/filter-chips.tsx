import { XIcon } from 'lucide-react'

import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { modelParts } from '@/strings/models'

import type { Chip } from '../filters'

const words = modelParts.filterChips

interface FilterChipsProps {
  chips: Chip[]
  onRemove: (chip: Chip) => void
  onClear: () => void
}

/** What is filtered by; each can be taken away alone. */
export function FilterChips({ chips, onRemove, onClear }: FilterChipsProps) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <ul aria-label={words.filtersInForce} className="contents">
        {chips.map((chip) => (
          <li key={`${chip.name} ${chip.tag ?? ''}`} className="max-w-full">
            <Badge asChild variant="default" className="h-8 pr-1.5 pl-3 text-sm">
              <button
                type="button"
                aria-label={words.remove(chip.label)}
                onClick={() => onRemove(chip)}
              >
                <span className="truncate">{chip.label}</span>
                <span className="grid size-5 place-items-center rounded-full">
                  <XIcon aria-hidden className="size-3.5!" />
                </span>
              </button>
            </Badge>
          </li>
        ))}
      </ul>
      <Button variant="ghost" size="sm" onClick={onClear}>
        {words.clearFilters}
      </Button>
    </div>
  )
}

import { useMedia } from '@/hooks/use-media'
import { cn } from '@/lib/cn'
import { modelsWords } from '@/strings/models'

import { Checkbox } from '@/components/ui/checkbox'

import type { Listing } from '../listing'
import { useWindowRows } from '../use-window-rows'
import { ModelCard } from './model-card'

/** Classes of as many columns; they are written out for Tailwind to find them. */
const COLUMNS: Record<number, string> = {
  1: 'grid-cols-1',
  2: 'grid-cols-2',
  3: 'grid-cols-3',
  4: 'grid-cols-4',
  5: 'grid-cols-5',
}

export function useColumns(): number {
  const two = useMedia('(min-width: 40rem)')
  const three = useMedia('(min-width: 64rem)')
  const four = useMedia('(min-width: 96rem)')
  const five = useMedia('(min-width: 137.5rem)')
  return 1 + Number(two) + Number(three) + Number(four) + Number(five)
}

/** The models as cards; only those near the window are drawn. */
export function ModelGrid({ models, selection, ...more }: Listing) {
  const columns = useColumns()
  const { holder, rows, before, after } = useWindowRows<HTMLDivElement>({
    count: Math.ceil(models.length / columns),
    estimate: 228,
    ...more,
  })
  return (
    <div ref={holder} role="list" aria-label={modelsWords.table.label}>
      <div role="presentation" style={{ height: before }} />
      {rows.getVirtualItems().map((row) => (
        <div
          key={row.key}
          role="presentation"
          data-index={row.index}
          ref={rows.measureElement}
          className={cn('grid gap-4 pb-4', COLUMNS[columns])}
        >
          {models.slice(row.index * columns, (row.index + 1) * columns).map((model, place) => (
            <div
              key={model.id}
              role="listitem"
              aria-posinset={row.index * columns + place + 1}
              aria-setsize={more.total}
              className="grid min-w-0"
            >
              <ModelCard
                model={model}
                action={
                  <Checkbox
                    aria-label={modelsWords.select.one(model.name)}
                    checked={selection.has(model.id)}
                    onChange={() => selection.toggle(model)}
                  />
                }
              />
            </div>
          ))}
        </div>
      ))}
      <div role="presentation" style={{ height: after }} />
    </div>
  )
}

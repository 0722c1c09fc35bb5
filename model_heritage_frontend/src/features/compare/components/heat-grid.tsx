import { cn } from '@/lib/cn'
import { formatChange } from '@/lib/format'
import { compareWords } from '@/strings/compare'

import { cellKey, heat, type HeatCell, type HeatMap } from '../heat'
import { layerKey } from '../rows'
import { kindName } from '../words'

/** Two rows of a heat strip would be closer in colour than in meaning without steps of lightness. */
const fill = (share: number): string =>
  `color-mix(in oklab, var(--relation-merge) ${Math.round(share * 100)}%, var(--card))`

export interface HeatChoice {
  layer: string
  kind: string
}

interface HeatGridProps {
  map: HeatMap
  chosen: HeatChoice
  /** Choosing what is chosen takes it back. */
  onChoose: (choice: HeatChoice) => void
}

const describeCell = (cell: HeatCell): string =>
  cell.change === null
    ? compareWords.heat.incomparable(cell.changed)
    : cell.changed === 0
      ? compareWords.heat.equal
      : compareWords.heat.changed(formatChange(cell.change), cell.changed, cell.tensors)

interface CellProps {
  cell: HeatCell | undefined
  map: HeatMap
  label: string
  active: boolean
  onClick: () => void
}

function Cell({ cell, map, label, active, onClick }: CellProps) {
  if (!cell)
    return <td aria-label={`${label}: ${compareWords.heat.none}`} className="h-7 min-w-4" />
  const text = `${label}: ${describeCell(cell)}`
  return (
    <td className="p-px">
      <button
        type="button"
        aria-label={text}
        title={text}
        aria-pressed={active}
        onClick={onClick}
        style={{ background: fill(heat(cell.change, map)) }}
        className={cn(
          'block h-7 w-full min-w-4 rounded-[3px] border',
          cell.change === null && 'border-dashed',
          active && 'ring-ring ring-2',
        )}
      />
    </td>
  )
}

/** Relative change by layer and kind; a cell narrows the table down to its tensors. */
export function HeatGrid({ map, chosen, onChoose }: HeatGridProps) {
  const { layers, kinds } = map
  const toggle = (layer: string, kind: string) =>
    onChoose(
      chosen.layer === layer && chosen.kind === kind ? { layer: '', kind: '' } : { layer, kind },
    )
  const numbered = layers.filter((layer) => layer !== null).length
  const every = Math.max(1, Math.ceil(numbered / 16))
  return (
    <div className="overflow-x-auto pb-1">
      <table className="w-full border-separate border-spacing-0 text-xs">
        <caption className="sr-only">{compareWords.heat.caption}</caption>
        <tbody>
          {kinds.length > 1 && (
            <tr>
              <th scope="row" className="w-px pr-4 text-left font-medium whitespace-nowrap">
                {compareWords.heat.allKinds}
              </th>
              {layers.map((layer) => (
                <Cell
                  key={layerKey(layer)}
                  cell={map.byLayer.get(layerKey(layer))}
                  map={map}
                  label={compareWords.heat.cell(
                    compareWords.heat.allKinds,
                    compareWords.layer(layer),
                  )}
                  active={chosen.layer === layerKey(layer) && chosen.kind === ''}
                  onClick={() => toggle(layerKey(layer), '')}
                />
              ))}
            </tr>
          )}
          {kinds.map((kind) => (
            <tr key={kind}>
              <th
                scope="row"
                className="text-muted-foreground w-px pr-4 text-left font-normal whitespace-nowrap"
              >
                {kindName(kind)}
              </th>
              {layers.map((layer) => (
                <Cell
                  key={layerKey(layer)}
                  cell={map.cells.get(cellKey(kind, layer))}
                  map={map}
                  label={compareWords.heat.cell(kindName(kind), compareWords.layer(layer))}
                  active={chosen.layer === layerKey(layer) && chosen.kind === kind}
                  onClick={() => toggle(layerKey(layer), kind)}
                />
              ))}
            </tr>
          ))}
          <tr aria-hidden>
            <td />
            {layers.map((layer, index) => (
              <td
                key={layerKey(layer)}
                className="text-muted-foreground pt-1 text-center tabular-nums"
              >
                {layer === null ? compareWords.heat.other : index % every === 0 ? layer : ''}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  )
}

/** What the colours of the strip mean. */
export function HeatLegend({ map }: { map: HeatMap }) {
  if (map.most === 0) return null
  return (
    <p className="text-muted-foreground flex flex-wrap items-center gap-2 text-xs tabular-nums">
      {formatChange(map.least)}
      <span
        aria-hidden
        className="h-2 w-24 rounded-full"
        style={{ background: `linear-gradient(to right, ${fill(0.08)}, ${fill(1)})` }}
      />
      {compareWords.heat.most(formatChange(map.most))}
    </p>
  )
}

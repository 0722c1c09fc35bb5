import { formatChange, formatNumber } from '@/lib/format'
import { compareWords } from '@/strings/compare'

import type { Bin } from '../heat'

const HEIGHT = 120

/** How many tensors changed by how much. The figure's text says the same as its bars. */
export function ChangeHistogram({ bins, equal }: { bins: Bin[]; equal: number }) {
  const most = bins.reduce((largest, bin) => Math.max(largest, bin.count), 1)
  const counted = bins.reduce((sum, bin) => sum + bin.count, 0)
  if (counted === 0) {
    return <p className="text-muted-foreground text-sm">{compareWords.histogram.none}</p>
  }
  return (
    <figure>
      <ol className="flex items-end gap-1" style={{ height: HEIGHT }}>
        {bins.map(({ from, to, count }) => {
          const text = compareWords.histogram.bar(count, formatChange(from), formatChange(to))
          return (
            <li key={from} title={text} className="flex h-full min-w-0 flex-1 flex-col justify-end">
              <span className="sr-only">{text}</span>
              <span
                aria-hidden
                className="text-muted-foreground mb-0.5 text-center text-[0.6875rem] tabular-nums"
              >
                {count > 0 && formatNumber(count)}
              </span>
              <span
                aria-hidden
                className="bg-relation-merge rounded-t-sm"
                style={{
                  height: count > 0 ? Math.max((count / most) * (HEIGHT - 24), 3) : 1,
                  background: count > 0 ? 'var(--relation-merge)' : 'var(--border)',
                }}
              />
            </li>
          )
        })}
      </ol>
      <figcaption className="text-muted-foreground mt-1.5 flex justify-between gap-4 text-xs tabular-nums">
        <span>{formatChange(bins[0]?.from ?? 0)}</span>
        <span>
          {compareWords.histogram.axis(counted)}
          {equal > 0 && compareWords.histogram.equal(equal)}
        </span>
        <span>{formatChange(bins.at(-1)?.to ?? 0)}</span>
      </figcaption>
    </figure>
  )
}

import { formatCompact, formatPercent } from '@/lib/format'
import type { LakeDistributions } from '@/lib/types'
import { statisticsWords as words } from '@/strings/statistics'
import { formatWords } from '@/strings/format'

/** The bins of a distribution without the empty ones at both ends, so that what is there has room. */
export function trim<T>(bins: T[], count: (bin: T) => number): T[] {
  const first = bins.findIndex((bin) => count(bin) > 0)
  const last = bins.findLastIndex((bin) => count(bin) > 0)
  return first === -1 ? [] : bins.slice(first, last + 1)
}

/** Ten bins over [0, 1] by their place: 9 -> "90–100%". */
export const nameBin = (place: number): string =>
  words.confidence.range(place * 10, place * 10 + 10)

const month = new Intl.DateTimeFormat(formatWords.locale, {
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
})
const day = new Intl.DateTimeFormat(formatWords.locale, {
  month: 'short',
  day: 'numeric',
  timeZone: 'UTC',
})

export const nameTime = (start: string, unit: 'day' | 'month'): string =>
  (unit === 'day' ? day : month).format(new Date(`${start}T00:00:00Z`))

export const nameParameters = ({ least, below }: LakeDistributions['parameters'][number]): string =>
  words.parameters.range(formatCompact(least), formatCompact(below))

const SURE_BIN = 9

/** What was measured beforehand: how many, how many of them sure, and how many of these right. */
export function summariseCalibration(bins: LakeDistributions['calibration']): string {
  const edges = bins.reduce((sum, bin) => sum + bin.edges, 0)
  const sure = bins[SURE_BIN]
  if (!sure || sure.edges === 0 || edges === 0) return ''
  return words.calibration.summary(
    formatPercent(sure.edges / edges),
    formatPercent(sure.right / sure.edges),
    edges,
  )
}

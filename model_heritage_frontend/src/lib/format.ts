import { formatWords as words } from '@/strings/format'

/** Numbers and times as people read them, independent of the browser's language. */

const LOCALE = words.locale

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

export const formatNumber = (value: number): string => value.toLocaleString(LOCALE)

const compact = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 })

/** 1234 -> "1.23K"; null -> an en dash. */
export const formatCompact = (value: number | null): string =>
  value === null ? '–' : compact.format(value)

const COMPACT_NUMBER = /^(\d+(?:\.\d+)?)([kmbt]?)$/i
const FACTORS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }

/** "7B", "1.5 M" or "20,000" as a whole number; null for anything else. */
export function parseCompact(text: string): number | null {
  const found = COMPACT_NUMBER.exec(text.replaceAll(/[\s,]/g, ''))
  const factor = FACTORS[found?.[2]?.toLowerCase() ?? '']
  const value = Math.round(Number(found?.[1] ?? Number.NaN) * (factor ?? Number.NaN))
  return Number.isSafeInteger(value) ? value : null
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Decimal units, as disks and model cards use them: 1 500 000 -> "1.5 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`
}

/**
 * A share in [0, 1] as a percentage that never claims more than is known: only an exact 1 reads
 * "100%" and only an exact 0 reads "0%".
 */
export function formatPercent(share: number): string {
  if (share > 0 && share < 0.01) return '<1%'
  if (share < 1 && share > 0.99) return '>99%'
  return `${Math.round(share * 100)}%`
}

/** A relative change as a percentage with two digits after the point: 0.0794 -> "7.94%". */
export function formatChange(change: number): string {
  const percent = change * 100
  if (percent > 0 && percent < 0.01) return '<0.01%'
  return percent >= 1000 ? `${Math.round(percent)}%` : `${percent.toFixed(2)}%`
}

/** A small non-negative quantity such as a distance: three significant digits. */
export function formatSmall(value: number | null): string {
  if (value === null) return '–'
  if (value === 0) return '0'
  if (value >= 1000 || value < 0.0001) return value.toExponential(1)
  return String(Number(value.toPrecision(3)))
}

const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' })

export const formatDateTime = (iso: string): string => dateTime.format(new Date(iso))

const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' })

/** "2026-11-21" -> "Nov 21, 2026", whatever the time zone. */
export const formatDay = (date: string): string => day.format(new Date(`${date}T00:00:00Z`))

const dayFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' })
const minuteFormat = new Intl.DateTimeFormat(LOCALE, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
})
const secondFormat = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' })

/** A moment as finely as steps of `step` milliseconds need. */
export function formatDate(iso: string, step: number): string {
  const format = step >= 86_400_000 ? dayFormat : step >= 60_000 ? minuteFormat : secondFormat
  return format.format(new Date(iso))
}

const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' })
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** "3 minutes ago"; "just now" below a minute and for clocks that differ a little. */
export function formatAgo(iso: string, now: number = Date.now()): string {
  const seconds = (now - new Date(iso).getTime()) / 1000
  const step = STEPS.find(([, size]) => seconds >= size)
  return step ? relative.format(-Math.floor(seconds / step[1]), step[0]) : words.justNow
}

/** Time between two moments: "0.4 s", "12 s", "3 min". */
export function formatDuration(from: string, to: string): string {
  const seconds = Math.max(0, (new Date(to).getTime() - new Date(from).getTime()) / 1000)
  if (seconds < 0.05) return words.least
  if (seconds < 10) return words.seconds(seconds.toFixed(1))
  if (seconds < 120) return words.seconds(String(Math.round(seconds)))
  return words.minutes(Math.round(seconds / 60))
}

/** A time to wait, in whole steps: "a few seconds", "40 seconds", "12 minutes", "2 hours". */
export function formatLeft(seconds: number): string {
  if (seconds < 5) return words.fewSeconds
  if (seconds < 55) return plural(5 * Math.round(seconds / 5), words.second)
  if (seconds < 3300) return plural(Math.max(1, Math.round(seconds / 60)), words.minute)
  return plural(Math.max(1, Math.round(seconds / 3600)), words.hour)
}

/** A tensor's shape: [768, 64] -> "768 × 64". */
export function formatShape(shape: number[] | null): string {
  if (shape === null) return '–'
  return shape.length === 0 ? words.scalar : shape.join(' × ')
}

import type { Model } from '@/lib/types'

const COLUMNS: [name: string, value: (model: Model) => string | number | null][] = [
  ['id', (model) => model.id],
  ['name', (model) => model.name],
  ['family_id', (model) => model.family_id],
  ['family', (model) => model.family_name],
  ['parent_id', (model) => model.parent_id],
  ['parent', (model) => model.parent_name],
  ['relation', (model) => model.relation],
  ['confidence', (model) => model.confidence_score],
  ['parameters', (model) => model.total_parameters],
  ['layers', (model) => model.layer_count],
  ['format', (model) => model.format],
  ['bytes', (model) => model.file_size],
  ['licence', (model) => model.declared.licence],
  ['tags', (model) => model.declared.tags.join(', ')],
  ['sha256', (model) => model.checksum],
  ['created_at', (model) => model.created_at],
]

/** What spreadsheets would compute; an apostrophe before it makes them show it. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

function quote(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const harmless = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** A row per model, as RFC 4180 has it. */
export function writeCsv(models: Model[]): string {
  const rows = models.map((model) => COLUMNS.map(([, value]) => quote(value(model))))
  return [COLUMNS.map(([name]) => name), ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

/** Gives a text to the person at the browser, as a file. */
export function saveText(text: string, filename: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = filename
  link.click()
  URL.revokeObjectURL(url)
}

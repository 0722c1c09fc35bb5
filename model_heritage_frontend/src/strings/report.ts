import { plural } from '@/lib/format'

/** What the page of a scanned folder says. A translation is another object of this type. */
export const reportWords = {
  eyebrow: (made: string): string => `Model Heritage · ${made}`,
  summary: (models: number, families: number): string =>
    `${plural(models, 'model')} in ${plural(families, 'family', 'families')}, found from their weights alone.`,
  families: 'Families',
  family: (id: string): string => `Family ${id}`,
  familyOf: (root: string): string => `Family of ${root}`,
  alone: (models: number): string => `${plural(models, 'model')} without relatives here`,
  unreadable: (files: number): string => `${plural(files, 'file')} could not be read`,
  unrelated: 'No two models here are related.',
  empty: 'This page has no genealogy in it.',
  facts: {
    file: 'File',
    size: 'Size',
    parameters: 'Parameters',
    checksum: 'Checksum',
    notes: 'Notes',
    madeFromIt: 'Made from it',
    showInFamily: 'Show it in its family',
  },
} as const

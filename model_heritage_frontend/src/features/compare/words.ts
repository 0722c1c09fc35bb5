import { RELATION_WORDS } from '@/lib/relations'
import type { Kinship, TensorComparison } from '@/lib/types'
import { formatPercent } from '@/lib/format'

/** The server's word for a kind of tensor, to begin a line with. */
export const kindName = (kind: string): string =>
  kind === 'mlp' ? 'MLP' : kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ')

export const STATUS_WORDS: Record<TensorComparison['status'], string> = {
  equal: 'equal',
  changed: 'changed',
  reshaped: 'other shape',
  removed: 'only in the first',
  added: 'only in the second',
}

/** In which way a tensor changed. */
export const VERDICT_WORDS: Partial<Record<string, [label: string, explanation: string]>> = {
  rounding: ['rounding', 'No more than the rounding of the stored number type.'],
  low_rank: ['low rank', 'A change of low rank, as merged adapters leave.'],
  few_values: ['few values', 'Nine of ten values are the same.'],
  trained: ['trained', 'Changed throughout, and still like the other.'],
  replaced: ['replaced', 'Nothing in common with the other.'],
}

/** What the second model is to the first, as a sentence. */
export function describeKinship(kinship: Kinship, first: string, second: string): string {
  const { kind, confidence, relation, path } = kinship
  const sure = confidence === null ? '' : `, ${formatPercent(confidence)} sure`
  const what = relation ? ` (${RELATION_WORDS[relation].label.toLowerCase()})` : ''
  const steps = path.length - 1
  switch (kind) {
    case 'same':
      return `${first} and ${second} are one and the same model.`
    case 'child':
      return `${second} descends directly from ${first}${what}${sure}.`
    case 'parent':
      return `${first} descends directly from ${second}${what}${sure}.`
    case 'descendant':
      return `${second} descends from ${first} in ${steps} steps${sure}.`
    case 'ancestor':
      return `${first} descends from ${second} in ${steps} steps${sure}.`
    case 'sibling':
      return `${first} and ${second} are siblings${sure}.`
    case 'relative':
      return `${first} and ${second} share an ancestor, ${steps} steps apart${sure}.`
    case 'none':
      return `${first} and ${second} have no common ancestor here.`
  }
}

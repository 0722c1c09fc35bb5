import { formatPercent } from '@/lib/format'
import { RELATION_WORDS } from '@/lib/relations'
import type { Kinship } from '@/lib/types'
import { compareWords } from '@/strings/compare'

/** The server's word for a kind of tensor, to begin a line with. */
export const kindName = (kind: string): string =>
  compareWords.kinds[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ')

/** What the second model is to the first, as a sentence. */
export function describeKinship(kinship: Kinship, first: string, second: string): string {
  const { kind, confidence, relation, path } = kinship
  return compareWords.kinship[kind]({
    first,
    second,
    what: relation ? compareWords.what(RELATION_WORDS[relation].label) : '',
    sure: confidence === null ? '' : compareWords.sure(formatPercent(confidence)),
    steps: path.length - 1,
  })
}

import { formatNumber, formatPercent, formatSmall, plural } from '@/lib/format'
import type { Evidence } from '@/lib/types'

const FLAGS: Record<string, string> = {
  new_head: 'It has a new output head, which the parent does not have.',
  extended_vocabulary: 'Its vocabulary is larger than the parent’s.',
  reordered:
    'Units of one of the two stand in another order; they were put back for the comparison.',
  rescaled:
    'Layers of one of the two were scaled against each other; that was undone for the comparison.',
  confirmed: 'Somebody confirmed this parent.',
  base: 'The other parents’ differences from this one were merged.',
  unmerged: 'It is an adapter by itself: it holds only what is to be added to its base model.',
  proven: 'Another model here is exactly this base with the adapter merged in.',
  drift: 'What it adds agrees with how the models of this family differ from each other.',
  adapter_here: 'The adapter that was merged in is here as a file of its own.',
  by_tensor: 'The shares of the parents differ from tensor to tensor.',
}

const MERGES: Record<string, string> = {
  linear: 'a weighted sum of the parents’ (linear)',
  slerp: 'a turn from one parent’s to the other’s (SLERP)',
  task_arithmetic:
    'a base’s and the parents’ differences from it, each with a factor (task arithmetic)',
  ties: 'a base’s and the largest of the parents’ differences from it (TIES)',
  dare_linear: 'a base’s and a random part of the parents’ differences from it (DARE)',
}

const METHODS: Record<string, string> = {
  heritage: 'the heritage method (exact comparison of the weights)',
  mother: 'the MoTHer method',
  distance_only: 'distances alone',
  kurtosis_only: 'kurtosis alone',
}

const SIGNALS: Record<string, string> = {
  agreement: 'Agreement with the family’s differences, in standard deviations',
  norm_growth: 'Growth of the weights’ norm',
  norm_z: 'Growth of the norm, in standard deviations',
  larger_share: 'Share of values that grew',
  row_log_ratio: 'Growth of the least changed rows',
  row_spread: 'Spread of the rows’ growth',
  value_growth: 'Growth of values with like steps',
  row_growth: 'Growth within rows',
  row_shrinkage: 'Common shrinkage of the rows',
  diagonal_excess: 'Alignment with the directions of change',
  entropy: 'Asymmetry of the residuals (entropy)',
  skew_forward: 'Asymmetry of the residuals (forward)',
  skew_backward: 'Asymmetry of the residuals (backward)',
  kurtosis: 'Fall of the weights’ kurtosis',
  vector_growth: 'Growth of biases and normalisation weights',
  relative_change: 'Relative change',
}

const QUALITY: Record<string, string> = {
  adapter: 'It is an adapter: low-rank changes to a model, not a model.',
  incomplete_adapter: 'Some of the adapter’s factors have no partner that fits them.',
  nonfinite: 'Some values are not finite (NaN or infinity).',
  all_zero: 'At least one matrix is zero throughout.',
  uncompared: 'Some weights are packed in a way that cannot be unpacked yet; they were left out.',
  misnamed: 'The file is of another format than its name says; its content decided.',
  huge: 'At least one matrix has values of more than a million.',
  tiny: 'At least one matrix has only vanishing values (below 1e-30).',
  constant: 'At least one matrix holds one and the same value throughout.',
}

/** The server's short notes on odd weights, as sentences. */
export const describeQuality = (note: string): string => QUALITY[note] ?? note

/** `norm_growth` -> "Growth of the weights’ norm"; unknown names become words. */
export function describeSignal(name: string): string {
  const known = SIGNALS[name]
  if (known) return known
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export const describeMethod = (method: string): string =>
  METHODS[method] ?? `the ${method.replaceAll('_', ' ')} method`

/** exp(nats) as odds: 3.2 -> "25 to 1". */
function odds(nats: number): string {
  const ratio = Math.exp(Math.abs(nats))
  if (ratio > 1000) return 'more than 1,000 to 1'
  return `${formatNumber(Number(ratio.toPrecision(2)))} to 1`
}

/** Why an edge is believed, as plain sentences. Only what was measured is said. */
export function explainEvidence(evidence: Partial<Evidence>): string[] {
  const lines: string[] = []
  const { changed_tensors: changed, shared_tensors: shared } = evidence
  if (changed != null && shared != null) {
    lines.push(
      changed === 0
        ? `All ${plural(shared, 'shared tensor')} are equal to the parent’s.`
        : changed === shared
          ? `All ${plural(shared, 'shared tensor')} differ from the parent’s.`
          : `${formatNumber(changed)} of ${plural(shared, 'shared tensor')} differ from the parent’s.`,
    )
  }
  if (evidence.relative_change != null && evidence.relative_change > 0) {
    const change = evidence.relative_change
    lines.push(
      change < 0.0001
        ? `The weights moved by ${formatSmall(change)} times their own size.`
        : `The weights moved by ${formatSmall(change * 100)}% of their own size.`,
    )
  }
  if (evidence.delta_rank != null) {
    lines.push(
      `The changes have a rank of ${evidence.delta_rank}, far below a full update’s: the mark of an adapter such as LoRA.`,
    )
  }
  if (evidence.bits != null) {
    lines.push(`Its values lie on a grid of ${evidence.bits} bits.`)
  }
  if (evidence.zero_fraction != null && evidence.zero_fraction > 0) {
    lines.push(`${formatPercent(evidence.zero_fraction)} of its weights are zero.`)
  }
  if (evidence.merge_method != null) {
    lines.push(`Its values are ${MERGES[evidence.merge_method] ?? 'a merge of the parents’'}.`)
  }
  for (const flag of evidence.flags ?? []) {
    lines.push(FLAGS[flag] ?? `Noted: ${flag.replaceAll('_', ' ')}.`)
  }
  if (evidence.direction != null && evidence.direction !== 0) {
    const toward = evidence.direction > 0 ? 'parent first, child second' : 'the other way round'
    lines.push(`Taken alone, this pair’s weights speak for ${toward}, ${odds(evidence.direction)}.`)
  }
  if (evidence.exact != null) {
    lines.push(
      evidence.exact
        ? 'Both files were read and compared weight by weight.'
        : 'Only the two fingerprints were compared, not the files themselves.',
    )
  }
  return lines
}

import { formatPercent, formatSmall } from '@/lib/format'
import type { Evidence } from '@/lib/types'
import { evidenceWords as words } from '@/strings/evidence'

/** The server's short notes on odd weights, as sentences. */
export const describeQuality = (note: string): string => words.quality[note] ?? note

/** `norm_growth` -> "Growth of the weights’ norm"; unknown names become words. */
export function describeSignal(name: string): string {
  const known = words.signals[name]
  if (known) return known
  const plain = name.replaceAll('_', ' ')
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

export const describeMethod = (method: string): string =>
  words.methods[method] ?? words.method(method.replaceAll('_', ' '))

/** exp(nats) as odds: 3.2 -> "25 to 1". */
function odds(nats: number): string {
  const ratio = Math.exp(Math.abs(nats))
  if (ratio > 1000) return words.longOdds
  return words.odds(Number(ratio.toPrecision(2)))
}

/** Why an edge is believed, as plain sentences. Only what was measured is said. */
export function explainEvidence(evidence: Partial<Evidence>): string[] {
  const lines: string[] = []
  const { changed_tensors: changed, shared_tensors: shared } = evidence
  if (changed != null && shared != null) {
    lines.push(
      changed === 0
        ? words.allEqual(shared)
        : changed === shared
          ? words.allDiffer(shared)
          : words.someDiffer(changed, shared),
    )
  }
  if (evidence.relative_change != null && evidence.relative_change > 0) {
    const change = evidence.relative_change
    lines.push(
      change < 0.0001
        ? words.movedTimes(formatSmall(change))
        : words.movedPercent(formatSmall(change * 100)),
    )
  }
  if (evidence.delta_rank != null) {
    lines.push(words.rank(evidence.delta_rank))
  }
  if (evidence.bits != null) {
    lines.push(words.bits(evidence.bits))
  }
  if (evidence.zero_fraction != null && evidence.zero_fraction > 0) {
    lines.push(words.zeros(formatPercent(evidence.zero_fraction)))
  }
  if (evidence.merge_method != null) {
    lines.push(words.merge(words.merges[evidence.merge_method] ?? words.someMerge))
  }
  for (const flag of evidence.flags ?? []) {
    lines.push(words.flags[flag] ?? words.flag(flag.replaceAll('_', ' ')))
  }
  if (evidence.direction != null && evidence.direction !== 0) {
    const toward = evidence.direction > 0 ? words.forward : words.backward
    lines.push(words.direction(toward, odds(evidence.direction)))
  }
  if (evidence.exact != null) {
    lines.push(evidence.exact ? words.exact : words.byFingerprint)
  }
  return lines
}

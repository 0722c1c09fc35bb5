import { formatPercent } from '@/lib/format'
import type { Evidence, Model, Relation } from '@/lib/types'
import { relationWords } from '@/strings/relations'

const words = relationWords.origin

export const RELATION_WORDS = relationWords.kinds

/** Below this an edge is only the best guess (the server's own threshold). */
export const UNRESOLVED_BELOW = 0.5

export const relationColor = (relation: Relation): string => `var(--relation-${relation})`

export interface Named {
  id: string
  name: string
}

/** A sentence with links in it: text, then the parents' names, then more text. */
export interface Origin {
  kind: 'derived' | 'unresolved' | 'root' | 'alone' | 'ghost' | 'processing' | 'error'
  before: string
  parents: Named[]
  after: string
  /** The next best guess, when the first one is not certain. */
  runnerUp: Named | null
}

/** What is known about a model's origin beyond the model itself. */
export interface OriginContext {
  evidence?: Partial<Evidence>
  /** Further parents of a merge. */
  others?: Named[]
  runnerUp?: Named | null
}

const plain = (kind: Origin['kind'], before: string): Origin => ({
  kind,
  before,
  parents: [],
  after: '',
  runnerUp: null,
})

/** The words around the parent's name. */
function deedWords(
  relation: Exclude<Relation, 'duplicate' | 'unresolved'>,
  evidence: Partial<Evidence>,
): [before: string, after: string] {
  switch (relation) {
    case 'finetune':
      return [words.finetune, '']
    case 'partial':
      return [words.partial, '']
    case 'adapter': {
      const rank = evidence.delta_rank
      const adapter = rank ? words.adapter.lora(rank) : words.adapter.unknown
      const unmerged = evidence.flags?.includes('unmerged') ?? false
      return [unmerged ? words.adapter.apart(adapter) : words.adapter.merged(adapter), '']
    }
    case 'merge':
      return [words.merge, '']
    case 'quantized':
      return [evidence.bits ? words.quantizedTo(evidence.bits) : words.quantized, '']
    case 'pruned': {
      const zeros = evidence.zero_fraction
      return [words.pruned, zeros ? words.zeros(formatPercent(zeros)) : '']
    }
    case 'cast':
      return [...words.cast]
  }
}

function describeParent(
  parent: Named,
  relation: Relation,
  confidence: number,
  { evidence = {}, others = [], runnerUp = null }: OriginContext,
): Origin {
  const author = evidence.stated_by ?? null
  const sure = author === null ? words.sure(formatPercent(confidence)) : words.statedBy(author)
  // Which of several equal files came first is not a matter of evidence: nothing can tell it.
  if (relation === 'duplicate') {
    const [before, after] = words.duplicate
    return { ...plain('derived', before), parents: [parent], after }
  }
  // Only people are wholly sure of a parent that the weights do not decide.
  if (relation === 'unresolved' && (author !== null || confidence === 1)) {
    const after = author === null ? words.stated : sure
    return { ...plain('derived', words.from), parents: [parent], after }
  }
  if (relation === 'unresolved' || confidence < UNRESOLVED_BELOW) {
    return { ...plain('unresolved', words.guess), parents: [parent], after: sure, runnerUp }
  }
  const [before, after] = deedWords(relation, evidence)
  const doubt = author === null ? runnerUp : null
  if (relation !== 'merge') {
    return { ...plain('derived', before), parents: [parent], after: after + sure, runnerUp: doubt }
  }
  const parents = [parent, ...others]
  const unnamed = parents.length === 1 ? words.unnamed : ''
  return { ...plain('derived', before), parents, after: unnamed + sure, runnerUp: doubt }
}

/** Where a model comes from, in one sentence, with its doubt. */
export function describeOrigin(model: Model, context: OriginContext = {}): Origin {
  if (model.status === 'processing') {
    return plain('processing', words.processing)
  }
  if (model.status === 'error') {
    return plain('error', model.error ?? words.error)
  }
  const { parent_id: id, relation, confidence_score: confidence } = model
  if (id !== null && relation !== null && confidence !== null) {
    const parent = { id, name: model.parent_name ?? id }
    return describeParent(parent, relation, confidence, context)
  }
  if (model.quality.includes('adapter')) {
    return plain('unresolved', words.adapterAlone)
  }
  if ((model.family_size ?? 1) <= 1) {
    return plain('alone', words.alone)
  }
  if (model.is_root) {
    return plain('root', words.root)
  }
  return plain('ghost', words.ghost)
}

import { formatPercent } from '@/lib/format'
import type { Evidence, Model, Relation } from '@/lib/types'

interface RelationWords {
  label: string
  /** What was done to the parent, for legends and tooltips. */
  explanation: string
}

export const RELATION_WORDS: Record<Relation, RelationWords> = {
  finetune: { label: 'Fine-tune', explanation: 'Training went on from the parent’s weights.' },
  partial: {
    label: 'Partial fine-tune',
    explanation: 'Only some layers were trained on; the rest is the parent’s, bit by bit.',
  },
  adapter: {
    label: 'Adapter',
    explanation: 'A low-rank update, such as LoRA: merged into the parent, or a file of its own.',
  },
  merge: { label: 'Merge', explanation: 'The weights are a mixture of two or more models.' },
  quantized: {
    label: 'Quantised',
    explanation: 'The parent’s weights, rounded to a coarse grid of values.',
  },
  pruned: { label: 'Pruned', explanation: 'Many of the parent’s weights were set to zero.' },
  cast: { label: 'Cast', explanation: 'The parent, stored in another number type.' },
  duplicate: { label: 'Copy', explanation: 'The same weights as the parent.' },
  unresolved: {
    label: 'Unresolved',
    explanation: 'Related, but the weights do not decide which model is the parent.',
  },
}

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
      return ['A fine-tune of ', '']
    case 'partial':
      return ['A fine-tune of some layers of ', '']
    case 'adapter': {
      const rank = evidence.delta_rank
      const adapter = rank ? `A LoRA adapter (rank ${rank})` : 'A low-rank adapter'
      const unmerged = evidence.flags?.includes('unmerged') ?? false
      return [unmerged ? `${adapter} for ` : `${adapter} merged into `, '']
    }
    case 'merge':
      return ['A merge of ', '']
    case 'quantized':
      return [evidence.bits ? `A ${evidence.bits}-bit quantisation of ` : 'A quantisation of ', '']
    case 'pruned': {
      const zeros = evidence.zero_fraction
      return ['A pruned copy of ', zeros ? ` (${formatPercent(zeros)} zeros)` : '']
    }
    case 'cast':
      return ['A copy of ', ' in another number type']
  }
}

function describeParent(
  parent: Named,
  relation: Relation,
  confidence: number,
  { evidence = {}, others = [], runnerUp = null }: OriginContext,
): Origin {
  const author = evidence.stated_by ?? null
  const sure = author === null ? `, ${formatPercent(confidence)} sure` : `, as ${author} states`
  // Which of several equal files came first is not a matter of evidence: nothing can tell it.
  if (relation === 'duplicate') {
    const after = '; which of them came first, weights cannot tell'
    return { ...plain('derived', 'The same weights as '), parents: [parent], after }
  }
  // Only people are wholly sure of a parent that the weights do not decide.
  if (relation === 'unresolved' && (author !== null || confidence === 1)) {
    const after = author === null ? ', as somebody states' : sure
    return { ...plain('derived', 'Comes from '), parents: [parent], after }
  }
  if (relation === 'unresolved' || confidence < UNRESOLVED_BELOW) {
    const before = 'Its parent is not certain. Best guess: '
    return { ...plain('unresolved', before), parents: [parent], after: sure, runnerUp }
  }
  const [before, after] = deedWords(relation, evidence)
  const doubt = author === null ? runnerUp : null
  if (relation !== 'merge') {
    return { ...plain('derived', before), parents: [parent], after: after + sure, runnerUp: doubt }
  }
  const parents = [parent, ...others]
  const unnamed = parents.length === 1 ? ' and another model' : ''
  return { ...plain('derived', before), parents, after: unnamed + sure, runnerUp: doubt }
}

/** Where a model comes from, in one sentence, with its doubt. */
export function describeOrigin(model: Model, context: OriginContext = {}): Origin {
  if (model.status === 'processing') {
    return plain('processing', 'Its weights are being read. The family follows in a moment.')
  }
  if (model.status === 'error') {
    return plain('error', model.error ?? 'Its weights could not be read.')
  }
  const { parent_id: id, relation, confidence_score: confidence } = model
  if (id !== null && relation !== null && confidence !== null) {
    const parent = { id, name: model.parent_name ?? id }
    return describeParent(parent, relation, confidence, context)
  }
  if (model.quality.includes('adapter')) {
    return plain('unresolved', 'An adapter: which model here it was made for cannot be told.')
  }
  if ((model.family_size ?? 1) <= 1) {
    return plain('alone', 'Alone in its family: no other model here shares its weights.')
  }
  if (model.is_root) {
    return plain('root', 'The root of its family: the other members descend from it.')
  }
  return plain('ghost', 'Related to its family, but its parent is not among the models here.')
}

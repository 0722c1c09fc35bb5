import type { Relation } from '@/lib/types'

interface RelationWords {
  label: string
  /** What was done to the parent, for legends and tooltips. */
  explanation: string
}

/** What is said of origins, statements and licences. A translation is another object of this type. */
export const relationWords = {
  kinds: {
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
  } satisfies Record<Relation, RelationWords>,
  /** The words before and after the parents' names. */
  origin: {
    and: ' and ',
    sure: (share: string): string => `, ${share} sure`,
    statedBy: (author: string): string => `, as ${author} states`,
    stated: ', as somebody states',
    finetune: 'A fine-tune of ',
    partial: 'A fine-tune of some layers of ',
    adapter: {
      lora: (rank: number): string => `A LoRA adapter (rank ${rank})`,
      unknown: 'A low-rank adapter',
      apart: (adapter: string): string => `${adapter} for `,
      merged: (adapter: string): string => `${adapter} merged into `,
    },
    merge: 'A merge of ',
    unnamed: ' and another model',
    quantized: 'A quantisation of ',
    quantizedTo: (bits: number): string => `A ${bits}-bit quantisation of `,
    pruned: 'A pruned copy of ',
    zeros: (share: string): string => ` (${share} zeros)`,
    cast: ['A copy of ', ' in another number type'],
    duplicate: ['The same weights as ', '; which of them came first, weights cannot tell'],
    from: 'Comes from ',
    guess: 'Its parent is not certain. Best guess: ',
    processing: 'Its weights are being read. The family follows in a moment.',
    error: 'Its weights could not be read.',
    adapterAlone: 'An adapter: which model here it was made for cannot be told.',
    alone: 'Alone in its family: no other model here shares its weights.',
    root: 'The root of its family: the other members descend from it.',
    ghost: 'Related to its family, but its parent is not among the models here.',
  },
  /** Statements of people. */
  statement: {
    aModel: 'A model',
    aModelWithin: 'a model',
    more: (models: number): string => `${models} more`,
    confirm: (parent: string, child: string): string => `${parent} is the parent of ${child}.`,
    forbid: (parent: string, child: string): string => `${parent} is not the parent of ${child}.`,
    root: (child: string): string => `${child} descends from no other model here.`,
    split: (others: string, models: string): string => `Not related to ${others}: ${models}.`,
  },
  /** What licences ask for. */
  restrictions: {
    non_commercial: 'no commercial use',
    no_derivatives: 'no derivatives',
    share_alike: 'the same licence for what is made from it',
    behavioural_use: 'limits of what it may be used for',
    custom: 'terms of its own',
    attribution: 'naming the authors',
  } as Record<string, string>,
} as const

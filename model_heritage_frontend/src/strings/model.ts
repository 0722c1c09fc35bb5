import { formatNumber, plural } from '@/lib/format'

/** What a model's own page says. A translation is another object of this type. */
export const modelWords = {
  actions: {
    download: 'Download',
    reprocess: 'Reprocess',
    reading: 'Reading…',
    delete: 'Delete',
    deleting: 'Deleting…',
  },
  copyAs: {
    label: 'Copy as',
    curl: 'curl command',
    python: 'Python',
    card: 'Model card head',
    done: (what: string): string => `Copied: ${what}`,
    unavailable: 'This browser allows copying only over https or on localhost.',
    refused: 'The browser did not allow copying.',
  },
  changes: {
    title: 'What changed from its parent',
    loading: 'what changed',
    compare: 'Compare the two',
    layers: 'By layer',
    kinds: 'By kind of tensor',
    layer: (layer: number | null): string => (layer === null ? 'Outside layers' : `Layer ${layer}`),
    outside: 'other',
    changed: (changed: number, tensors: number): string =>
      `${formatNumber(changed)} of ${plural(tensors, 'tensor')} changed`,
    scale: (most: string): string => `Relative change of the weights; full colour is ${most}.`,
    nothing: 'Nothing: the weights are the same.',
    kind: {
      attention: 'Attention',
      convolution: 'Convolution',
      embedding: 'Embedding',
      head: 'Head',
      mlp: 'MLP',
      normalisation: 'Normalisation',
      other: 'Other',
    } as Record<string, string>,
  },
  lineage: {
    title: 'Lineage',
    parents: (count: number): string => (count > 1 ? 'Parents' : 'Parent'),
    noParent: 'None of the models here.',
    children: (count: number): string =>
      count > 0 ? plural(count, 'child', 'children') : 'Children',
    noChildren: 'None so far.',
    siblings: (count: number): string => plural(count, 'sibling'),
    mixture: (share: string): string => `${share} of the mixture`,
    compare: 'Compare the two, tensor by tensor',
    compareWith: (name: string): string => `Compare with ${name}`,
  },
  timeline: {
    title: 'Timeline',
    added: 'Added',
    failed: 'Reading failed',
    read: 'Weights read, family solved',
    after: (duration: string): string => `${duration} after it was added`,
    waiting: 'Not processed yet',
    history: 'The whole history of its family',
  },
} as const

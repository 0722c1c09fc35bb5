import { formatNumber, plural } from '@/lib/format'
import type { Kinship, TensorComparison } from '@/lib/types'

interface KinshipParts {
  first: string
  second: string
  /** The relation in brackets, with a space before it; empty where it is not known. */
  what: string
  /** How sure that is, with a comma before it; empty where nothing says it. */
  sure: string
  /** How many steps of descent lie between the two. */
  steps: number
}

/** What the comparison of two models says. A translation is another object of this type. */
export const compareWords = {
  title: 'Compare',
  description: 'What changed between two models, tensor by tensor.',
  from: 'From',
  to: 'To',
  swap: 'Swap the two models',
  same: {
    title: 'One and the same model',
    text: 'Choose another one on either side.',
  },
  choose: {
    title: 'Choose two models',
    text: 'Parent and child, siblings, or any two: the table shows which tensors differ and by how much.',
  },
  theModel: 'The model',
  loading: 'the comparison',
  picker: {
    label: 'Models',
    placeholder: 'Search by name',
    none: 'No model matches.',
    unknown: 'Unknown model',
    choose: 'Choose a model',
  },
  what: (relation: string): string => ` (${relation.toLowerCase()})`,
  sure: (share: string): string => `, ${share} sure`,
  /** What the second model is to the first. */
  kinship: {
    same: ({ first, second }) => `${first} and ${second} are one and the same model.`,
    child: ({ first, second, what, sure }) =>
      `${second} descends directly from ${first}${what}${sure}.`,
    parent: ({ first, second, what, sure }) =>
      `${first} descends directly from ${second}${what}${sure}.`,
    descendant: ({ first, second, steps, sure }) =>
      `${second} descends from ${first} in ${steps} steps${sure}.`,
    ancestor: ({ first, second, steps, sure }) =>
      `${first} descends from ${second} in ${steps} steps${sure}.`,
    sibling: ({ first, second, sure }) => `${first} and ${second} are siblings${sure}.`,
    relative: ({ first, second, steps, sure }) =>
      `${first} and ${second} share an ancestor, ${steps} steps apart${sure}.`,
    none: ({ first, second }) => `${first} and ${second} have no common ancestor here.`,
  } satisfies Record<Kinship['kind'], (parts: KinshipParts) => string>,
  /** Kinds of tensors that are not simply the server's word. */
  kinds: { mlp: 'MLP' } as Partial<Record<string, string>>,
  status: {
    equal: 'equal',
    changed: 'changed',
    reshaped: 'other shape',
    removed: 'only in the first',
    added: 'only in the second',
  } satisfies Record<TensorComparison['status'], string>,
  /** In which way a tensor changed. */
  verdicts: {
    rounding: ['rounding', 'No more than the rounding of the stored number type.'],
    low_rank: ['low rank', 'A change of low rank, as merged adapters leave.'],
    few_values: ['few values', 'Nine of ten values are the same.'],
    trained: ['trained', 'Changed throughout, and still like the other.'],
    replaced: ['replaced', 'Nothing in common with the other.'],
  } as Partial<Record<string, [label: string, explanation: string]>>,
  layer: (layer: number | string | null): string =>
    layer === null ? 'outside the layers' : `layer ${layer}`,
  heat: {
    title: 'Change by layer and kind',
    caption: 'Relative change by layer and kind of tensor',
    allKinds: 'All kinds',
    cell: (kind: string, layer: string): string => `${kind}, ${layer}`,
    none: 'none',
    other: 'other',
    equal: 'equal',
    incomparable: (tensors: number): string =>
      `${plural(tensors, 'tensor')} with another shape, or in one model only`,
    changed: (change: string, changed: number, tensors: number): string =>
      `${change} of its size, ${changed} of ${plural(tensors, 'tensor')}`,
    most: (change: string): string => `${change} of its size`,
  },
  histogram: {
    title: 'How much the tensors changed',
    none: 'No tensor changed that can be measured.',
    bar: (count: number, from: string, to: string): string =>
      `${plural(count, 'tensor')} changed by ${from} to ${to}`,
    axis: (count: number): string => `${plural(count, 'tensor')} by relative change`,
    equal: (count: number): string => `, ${formatNumber(count)} equal`,
  },
  table: {
    label: 'Tensors',
    differ: (changed: number, tensors: number): string =>
      `${formatNumber(changed)} of ${plural(tensors, 'tensor')} differ`,
    search: 'Search tensors by name',
    placeholder: 'Search tensors',
    which: 'Which tensors',
    all: 'All tensors',
    changedOnly: 'Changed only',
    order: 'Order',
    orders: {
      change: 'Most changed first',
      leastChanged: 'Least changed first',
      file: 'As in the file',
      name: 'By name',
      rank: 'Highest rank first',
      equal: 'Fewest equal values first',
      cosine: 'Least alike first',
    },
    only: (choice: string): string => `Only ${choice}`,
    showAll: ': show all tensors',
    columns: {
      tensor: 'Tensor',
      shape: 'Shape',
      change: 'Change, relative to its size',
      verdict: 'Verdict',
      rank: 'Rank',
      equal: 'Equal values',
      cosine: 'Cosine',
    },
    equal: 'equal',
    rank: 'rank',
    noneDiffers: 'No tensor differs.',
    noneMatches: 'No tensor matches.',
    more: (tensors: number): string => `Show more (${plural(tensors, 'tensor')} left)`,
  },
} as const

import { formatNumber, plural } from '@/lib/format'

/** Why an edge is believed, as plain sentences. A translation is another object of this type. */
export const evidenceWords = {
  flags: {
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
  } as Record<string, string>,
  /** Its values are ... */
  merges: {
    linear: 'a weighted sum of the parents’ (linear)',
    slerp: 'a turn from one parent’s to the other’s (SLERP)',
    task_arithmetic:
      'a base’s and the parents’ differences from it, each with a factor (task arithmetic)',
    ties: 'a base’s and the largest of the parents’ differences from it (TIES)',
    dare_linear: 'a base’s and a random part of the parents’ differences from it (DARE)',
  } as Record<string, string>,
  /** Decided by ... */
  methods: {
    heritage: 'the heritage method (exact comparison of the weights)',
    mother: 'the MoTHer method',
    distance_only: 'distances alone',
    kurtosis_only: 'kurtosis alone',
  } as Record<string, string>,
  signals: {
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
  } as Record<string, string>,
  /** The server’s short notes on odd weights. */
  quality: {
    adapter: 'It is an adapter: low-rank changes to a model, not a model.',
    incomplete_adapter: 'Some of the adapter’s factors have no partner that fits them.',
    nonfinite: 'Some values are not finite (NaN or infinity).',
    all_zero: 'At least one matrix is zero throughout.',
    uncompared: 'Some weights are packed in a way that cannot be unpacked yet; they were left out.',
    misnamed: 'The file is of another format than its name says; its content decided.',
    huge: 'At least one matrix has values of more than a million.',
    tiny: 'At least one matrix has only vanishing values (below 1e-30).',
    constant: 'At least one matrix holds one and the same value throughout.',
  } as Record<string, string>,
  flag: (flag: string): string => `Noted: ${flag}.`,
  method: (method: string): string => `the ${method} method`,
  odds: (ratio: number): string => `${formatNumber(ratio)} to 1`,
  longOdds: 'more than 1,000 to 1',
  allEqual: (shared: number): string =>
    `All ${plural(shared, 'shared tensor')} are equal to the parent’s.`,
  allDiffer: (shared: number): string =>
    `All ${plural(shared, 'shared tensor')} differ from the parent’s.`,
  someDiffer: (changed: number, shared: number): string =>
    `${formatNumber(changed)} of ${plural(shared, 'shared tensor')} differ from the parent’s.`,
  movedTimes: (times: string): string => `The weights moved by ${times} times their own size.`,
  movedPercent: (percent: string): string => `The weights moved by ${percent}% of their own size.`,
  rank: (rank: number): string =>
    `The changes have a rank of ${rank}, far below a full update’s: the mark of an adapter such as LoRA.`,
  bits: (bits: number): string => `Its values lie on a grid of ${bits} bits.`,
  zeros: (share: string): string => `${share} of its weights are zero.`,
  merge: (how: string): string => `Its values are ${how}.`,
  someMerge: 'a merge of the parents’',
  forward: 'parent first, child second',
  backward: 'the other way round',
  direction: (toward: string, odds: string): string =>
    `Taken alone, this pair’s weights speak for ${toward}, ${odds}.`,
  exact: 'Both files were read and compared weight by weight.',
  byFingerprint: 'Only the two fingerprints were compared, not the files themselves.',
} as const

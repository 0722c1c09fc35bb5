import { formatNumber, plural } from '@/lib/format'

/** What the statistics say. A translation is another object of this type. */
export const statisticsWords = {
  title: 'Statistics',
  description: 'The lake in figures.',
  loading: 'statistics',
  loadingChart: 'a chart',
  asTable: 'As a table',
  empty: {
    title: 'Nothing to count yet',
    text: 'Figures appear with the first model.',
    action: 'Add a model',
  },
  arrivals: {
    title: 'Arrivals',
    day: 'Day (UTC)',
    month: 'Month (UTC)',
    models: 'Models',
    summary: (count: number, days: number, unit: 'day' | 'month'): string =>
      `${plural(count, 'model')} in ${plural(days, unit)}.`,
  },
  confidence: {
    title: 'How sure the parents are',
    bin: 'Confidence',
    edges: 'Parents',
    expected: 'Expected right',
    range: (from: number, to: number): string => `${from}–${to}%`,
    summary: (right: number, edges: number): string =>
      edges === 0
        ? 'No parent has been found yet.'
        : `If confidences keep their word, ${formatNumber(Math.round(right))} of ${plural(edges, 'parent')} are right.`,
  },
  calibration: {
    title: 'Whether confidences keep their word',
    bin: 'Confidence',
    mean: 'Mean confidence',
    right: 'Right',
    of: 'Parents',
    share: 'Share that is right',
    summary: (sure: string, right: string, edges: number): string =>
      `Measured beforehand on ${plural(edges, 'parent')} whose truth is known, not on your models: ${sure} were told with 90% or more, and ${right} of those are right.`,
    perfect: 'On the dashed line, confidence and truth agree. Larger dots stand for more parents.',
  },
  storage: {
    title: 'What deltas would save',
    summary: (models: number, before: string, after: string, share: string): string =>
      `Kept as a difference from their parents, ${plural(models, 'model')} would need ${after} instead of ${before}: ${share} less.`,
    none: 'No model has a parent here that would make part of it superfluous.',
    note: 'A careful estimate: equal tensors, changes of low rank, few changed values and copies count; packing full fine-tunes does not. Nothing is changed on the disk.',
    unmeasured: (count: number): string =>
      `${plural(count, 'model')} without a measure of both files count as not saved.`,
    relation: 'Relation',
    models: 'Models',
    now: 'Now',
    saved: 'Saved',
    bar: (share: string): string => `${share} of the files would be saved`,
  },
  parameters: {
    title: 'Parameters',
    bin: 'Parameters',
    models: 'Models',
    range: (least: string, below: string): string => `${least} – ${below}`,
  },
  sizes: {
    title: 'Families by size',
    bin: 'Models in the family',
    families: 'Families',
    range: (least: number, below: number | null): string => {
      if (below === null) return `${formatNumber(least)} or more`
      return below - least === 1
        ? formatNumber(least)
        : `${formatNumber(least)}–${formatNumber(below - 1)}`
    },
  },
  formats: {
    title: 'Formats',
    format: 'Format',
    models: 'Models',
    bytes: 'Bytes',
  },
} as const

/** Words of its smaller parts. */
export const statisticsParts = {
  reclusterPanel: {
    solvingTheWholeLake: 'Solving the whole lake again',
    doneEveryFamilyHas: 'Done: every family has been solved again.',
    solveEverythingAgain: 'Solve everything again',
    familiesAndTreesDepend:
      'Families and trees depend only on the models themselves, so this should change nothing. It is useful after an update of Model Heritage.',
    solveTheWholeLake: 'Solve the whole lake again?',
    allFamiliesAndParents:
      'All families and parents are computed anew in the background. The catalogue stays usable.',
    solveAgain: 'Solve again',
    waiting: 'Waiting for its turn…',
    working: 'Working…',
    failed: 'The job failed.',
    recluster: 'Recluster',
  },
  totals: {
    models: 'Models',
    processing: 'processing,',
    withErrors: 'with errors',
    families: 'Families',
    modelsOnTheirOwn: 'models on their own included',
    parentsFound: 'Parents found',
    parameters: 'Parameters',
    allRead: 'all read',
    ofEdges: (edges: number): string => `of ${formatNumber(edges)} edges`,
    ofEdgesSure: (edges: number, share: string): string =>
      `of ${formatNumber(edges)} edges, ${share} sure on average`,
    inBytes: (bytes: string): string => `in ${bytes}`,
  },
  relationBars: {
    howModelsCameAbout: 'How parents led to children',
    noParentHasBeen: 'No parent has been found yet.',
  },
  largestFamilies: {
    largestFamilies: 'Largest families',
    noFamilyYet: 'No family yet.',
  },
} as const

import { formatNumber, plural } from '@/lib/format'

const models = (count: number): string => plural(count, 'model')

/** What the catalogue says. A translation is another object of this type. */
export const modelsWords = {
  title: 'Models',
  description: 'Every checkpoint in the lake, with the parent its weights point to.',
  count: models,
  loading: 'models',
  loadingMore: 'Loading more…',
  view: { label: 'View', cards: 'Cards', table: 'Table' },
  empty: {
    title: 'No models yet',
    text: 'Add two checkpoints and Model Heritage tells you whether one comes from the other.',
    action: 'Add the first model',
  },
  none: {
    title: 'No model matches',
    named: (search: string): string => `Nothing here is called “${search}”.`,
    text: 'Try fewer filters.',
    clear: 'Clear filters',
  },
  dates: {
    label: 'Added',
    after: 'Added, from',
    before: 'Added, until',
    afterChip: (day: string): string => `Added from ${day}`,
    beforeChip: (day: string): string => `Added until ${day}`,
  },
  table: {
    label: 'Models',
    name: 'Name',
    parent: 'Parent',
    relation: 'Relation',
    confidence: 'Confidence',
    family: 'Family',
    parameters: 'Parameters',
    size: 'File size',
    added: 'Added',
    root: 'Root',
    none: '–',
  },
  select: {
    one: (name: string): string => `Select ${name}`,
    loaded: (count: number): string => `Select the ${models(count)} loaded so far`,
    bar: 'What to do with the selection',
    count: (count: number): string => `${formatNumber(count)} selected`,
    clear: 'Clear selection',
    tag: 'Tag',
    export: 'Export CSV',
    compare: 'Compare',
    compareHint: 'Select two models to compare them',
    delete: 'Delete',
  },
  tag: {
    title: (count: number): string => `Tag ${models(count)}`,
    text: 'Tags are added to those that each model has.',
    field: 'Tags, separated by commas',
    placeholder: 'vision, production',
    action: 'Add tags',
    done: (count: number): string => `${models(count)} tagged`,
  },
  delete: {
    title: (count: number, name: string): string =>
      count === 1 ? `Delete “${name}”?` : `Delete ${models(count)}?`,
    text: (count: number): string =>
      count === 1
        ? 'The file and everything known about it are removed. This cannot be undone.'
        : 'The files and everything known about them are removed. This cannot be undone.',
    consequences: 'What that means for others',
    looking: 'what depends on it',
    unknown: 'What depends on it could not be found out.',
    orphans: (count: number): string =>
      count === 1 ? 'One model loses its parent:' : `${formatNumber(count)} models lose a parent:`,
    moreOrphans: (count: number): string => `and ${formatNumber(count)} more`,
    noOrphans: 'No other model names it as its parent.',
    noOrphansMany: 'No other model names one of them as its parent.',
    root: (name: string): string => `${name} is the root of its family.`,
    families: (count: number): string =>
      count === 1
        ? 'Its family is solved again without it.'
        : `${formatNumber(count)} families are solved again.`,
    partly: (count: number): string => `Looked up for the first ${models(count)} only.`,
    action: (count: number): string => (count === 1 ? 'Delete model' : `Delete ${models(count)}`),
    doneOne: 'Model deleted. Its family has been solved again.',
    done: (count: number): string => `${models(count)} deleted. Their families are solved again.`,
  },
  progress: (done: number, total: number): string =>
    `${formatNumber(done)} of ${formatNumber(total)}`,
  stop: 'Stop',
  cancel: 'Cancel',
  stopped: (done: number, total: number): string =>
    `Stopped after ${formatNumber(done)} of ${formatNumber(total)}`,
  failedAfter: (done: number, reason: string): string =>
    done === 0 ? reason : `After ${models(done)}: ${reason}`,
} as const

/** Words of its smaller parts. */
export const modelParts = {
  editModelDialog: {
    name: 'Name',
    description: 'Description',
    whatYouSayOf: 'What you say of it',
    cancel: 'Cancel',
    edit: 'Edit',
    editModel: 'Edit model',
    whatIsSaidHere: 'What is said here is for people: it never influences the family tree.',
  },
  filterChips: {
    filtersInForce: 'Filters in force',
    clearFilters: 'Clear filters',
  },
  modelCard: {
    from: 'from',
    root: 'Root',
  },
  modelClaims: {
    nothingIsSaid: 'Nothing is said',
    noParentAmongThe: 'no parent among the models here',
    saidOfIt: 'Said of it',
    neitherPeopleNorIts:
      'Neither people nor its files say anything about its licence, task or base. With Edit you can.',
    baseModel: 'Base model',
    itsWeightsSay: 'Its weights say',
    licence: 'Licence',
    task: 'Task',
    tags: 'Tags',
  },
  modelConsequences: {
    theSameWeights: ', the same weights',
    byWayOf: 'by way of',
    cannotBeRuledOut: 'Cannot be ruled out:',
    ifItIsFlawed: 'If it is flawed',
    sure: 'Sure',
    n90OrMore: '90% or more',
    likely: 'Likely',
    n50To90: '50% to 90%',
    possible: 'Possible',
    lessThan50: 'less than 50%',
    licence: 'Licence',
    of: 'of',
    asksFor: 'asks for',
    sureThatItComes: 'sure that it comes from there)',
    noLongerAsksFor: 'no longer asks for',
    whatFollows: 'What follows',
    csv: 'CSV',
    ofTheDescendants: 'of the descendants',
    whatFollows2: 'what follows',
  },
  modelEvidence: {
    whyThisParent: 'Why this parent',
  },
  modelFilters: {
    family: 'Family',
    allFamilies: 'All families',
    relationToParent: 'Relation to parent',
    anyRelation: 'Any relation',
    root: 'Root',
    leafNoChildren: 'Leaf (no children)',
    status: 'Status',
    anyStatus: 'Any status',
    licence: 'Licence',
    anyLicence: 'Any licence',
    tag: 'Tag',
    claims: 'Claims',
    anyClaims: 'Any claims',
    filters: 'Filters',
    sortBy: 'Sort by',
    theCountsCouldNot: 'The counts could not be loaded.',
  },
  modelQuality: {
    notesOnTheWeights: 'Notes on the weights',
  },
  modelSpecification: {
    specification: 'Specification',
    parameters: 'Parameters',
    layers: 'Layers',
    numberTypes: 'Number types',
    format: 'Format',
    fileSize: 'File size',
    file: 'File',
    structuralHash: 'Structural hash',
    structuralHash2: 'structural hash',
    sha256: 'SHA-256',
    checksum: 'checksum',
  },
  parameterRange: {
    aNumberSuchAs: 'A number such as 20000, 350M or 7B',
    parameters: 'Parameters',
    parametersAtLeast: 'Parameters, at least',
    minParam: 'Min param.',
    parametersAtMost: 'Parameters, at most',
    maxParam: 'Max param.',
  },
  searchField: {
    searchModelsByName: 'Search models by name',
    searchByName: 'Search by name',
    clearSearch: 'Clear search',
  },
} as const

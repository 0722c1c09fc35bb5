import type { Impact, LicenceReport, Reached } from '@/lib/consequences'
import type { Constraint, Corrected, Revision } from '@/lib/statements'
import type {
  Declared,
  Edge,
  Evidence,
  Facets,
  Family,
  FamilyTree,
  Ghost,
  Job,
  Model,
  ModelDetail,
  Relation,
} from '@/lib/types'

/** Real answers of the API, made short: each builder fills in what a test does not care about. */

export const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
  delta_rank: null,
  changed_tensors: 38,
  shared_tensors: 40,
  changed: [],
  flags: [],
  bits: null,
  zero_fraction: null,
  relative_change: 0.031,
  direction: 3.2,
  signals: { norm_growth: 0.9 },
  runner_up: null,
  margin: null,
  merge_method: null,
  merge_parameters: {},
  gradient: [],
  merged: [],
  exact: true,
  method: 'heritage',
  stated_by: null,
  ...changes,
})

export const declared = (changes: Partial<Declared> = {}): Declared => ({
  licence: null,
  task: null,
  tags: [],
  base_model: null,
  base_model_id: null,
  source: {},
  ...changes,
})

export const facets = (changes: Partial<Facets> = {}): Facets => ({
  relations: { finetune: 3, merge: 1 },
  statuses: { ok: 4 },
  licences: { 'apache-2.0': 2 },
  tags: { vision: 2 },
  ...changes,
})

export const model = (changes: Partial<Model> = {}): Model => ({
  id: 'm_child',
  name: 'child',
  description: '',
  status: 'ok',
  error: null,
  filename: 'child.safetensors',
  format: 'safetensors',
  file_size: 135_432,
  checksum: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  total_parameters: 33_802,
  layer_count: 12,
  structural_hash: '2a19da923123ef7c2a19da923123ef7c',
  dtypes: { F32: 33_802 },
  quality: [],
  family_id: 'f_1',
  family_name: 'Family of base',
  family_size: 3,
  parent_id: 'm_base',
  parent_name: 'base',
  relation: 'finetune',
  confidence_score: 0.97,
  is_root: false,
  owner: null,
  created_at: '2026-11-20T10:00:00Z',
  processed_at: '2026-11-20T10:00:01Z',
  file_path: 'blobs/9f86d081',
  weights_uri: '/api/models/m_child/download',
  declared: declared(),
  conflicts: [],
  ...changes,
})

export const rootModel = (changes: Partial<Model> = {}): Model =>
  model({
    id: 'm_base',
    name: 'base',
    parent_id: null,
    parent_name: null,
    relation: null,
    confidence_score: null,
    is_root: true,
    ...changes,
  })

export const edge = (
  parent: string,
  child: string,
  relation: Relation = 'finetune',
  changes: Partial<Edge> = {},
): Edge => ({
  parent,
  child,
  main: true,
  relation,
  coefficient: null,
  confidence: 0.97,
  distance: 0.031,
  resolved: true,
  evidence: evidence(),
  ...changes,
})

export const detail = (changes: Partial<ModelDetail> = {}): ModelDetail => ({
  ...model(),
  lineage: {
    parent: {
      id: 'm_base',
      name: 'base',
      relation: 'finetune',
      confidence: 0.97,
      distance: 0.031,
      coefficient: null,
      main: true,
      evidence: evidence(),
      reasons: ['38 of 40 shared tensors differ.'],
      runner_up: null,
    },
    other_parents: [],
    children: [],
  },
  ...changes,
})

export const family = (changes: Partial<Family> = {}): Family => ({
  id: 'f_1',
  name: 'Family of base',
  given_name: null,
  size: 3,
  root_id: 'm_base',
  root_name: 'base',
  root_confidence: 0.96,
  depth: 1,
  leaf_count: 2,
  unresolved_count: 0,
  mean_confidence: 0.97,
  avg_intra_distance: 0.031,
  diameter: 0.05,
  total_parameters: 101_406,
  method: 'heritage',
  ghost_limit: null,
  created_at: '2026-11-20T10:00:00Z',
  updated_at: '2026-11-20T10:00:00Z',
  ...changes,
})

export const ghost = (...children: string[]): Ghost => ({
  id: 'ghost-1',
  children,
  confidence: 0.8,
  parent: null,
  distances: children.map(() => 0.1),
})

/**
 * base ─┬─ left ─── left-lora
 *       └─ right ── mixed      (mixed is a merge; its further parent is left)
 */
export const tree = (changes: Partial<FamilyTree> = {}): FamilyTree => ({
  family_id: 'f_1',
  method: 'heritage',
  root_id: 'base',
  nodes: ['base', 'left', 'left-lora', 'right', 'mixed'].map((name) => model({ id: name, name })),
  edges: [
    edge('base', 'left'),
    edge('base', 'right'),
    edge('left', 'left-lora', 'adapter'),
    edge('right', 'mixed', 'merge', { coefficient: 0.6 }),
    edge('left', 'mixed', 'merge', { coefficient: 0.4, main: false }),
  ],
  ghosts: [],
  ...changes,
})

export const job = (changes: Partial<Job> = {}): Job => ({
  id: 'j_1',
  kind: 'process',
  state: 'done',
  stage: 'done',
  progress: 1,
  eta_seconds: null,
  attempts: 1,
  max_attempts: 3,
  model_id: 'm_child',
  family_id: null,
  parameters: {},
  error: null,
  result: null,
  created_at: '2026-11-20T10:00:00Z',
  started_at: '2026-11-20T10:00:00Z',
  updated_at: '2026-11-20T10:00:00.800Z',
  finished_at: '2026-11-20T10:00:00.800Z',
  ...changes,
})

export const constraint = (changes: Partial<Constraint> = {}): Constraint => ({
  id: 'c_1',
  kind: 'confirm',
  model: { id: 'm_child', name: 'child' },
  parent: { id: 'm_base', name: 'base' },
  models: [],
  others: [],
  author: 'Ann',
  reason: 'I trained it.',
  created_at: '2026-11-20T12:00:00Z',
  ...changes,
})

export const corrected = (changes: Partial<Corrected> = {}): Corrected => ({
  constraint: constraint(),
  families: [family()],
  tree: tree(),
  ...changes,
})

export const revision = (changes: Partial<Revision> = {}): Revision => ({
  number: 1,
  cause: 'upload',
  summary: 'Changed when base was uploaded.',
  model: { id: 'm_base', name: 'base' },
  statement: null,
  author: null,
  reason: '',
  size: 1,
  came_from: [],
  went_to: [],
  created_at: '2026-11-20T10:00:00Z',
  ...changes,
})

/** A line of descent by these names, the ancestor first. */
export const reached = (way: string[], changes: Partial<Reached> = {}): Reached => ({
  id: way.at(-1) ?? '',
  name: way.at(-1) ?? '',
  probability: 0.95,
  relation: 'finetune',
  equal: false,
  path: way.slice(1).map((child, index) => ({
    parent: way[index] ?? '',
    child,
    parent_name: way[index] ?? '',
    child_name: child,
    relation: 'finetune',
    confidence: 0.97,
  })),
  ...changes,
})

export const impact = (changes: Partial<Impact> = {}): Impact => ({
  model_id: 'm_child',
  name: 'child',
  summary: 'If child is flawed, 0 models of its family are surely reached.',
  sure: [],
  likely: [],
  possible: [],
  cannot_be_ruled_out: [],
  ...changes,
})

export const licenceReport = (changes: Partial<LicenceReport> = {}): LicenceReport => ({
  model_id: 'm_child',
  licence: null,
  known: false,
  inherited: [],
  unknown_above: [],
  heirs: [],
  summary: 'child likely inherits no known restriction.',
  notice: 'This is no legal advice.',
  ...changes,
})

/** A line of descent by these names, the ancestor first. */

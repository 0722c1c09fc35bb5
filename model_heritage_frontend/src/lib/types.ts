/** The shapes that the HTTP API speaks (docs/api.md). Nothing here is guessed: null means unknown. */

export const RELATIONS = [
  'finetune',
  'partial',
  'adapter',
  'merge',
  'quantized',
  'pruned',
  'cast',
  'duplicate',
  'unresolved',
] as const
export type Relation = (typeof RELATIONS)[number]

export const STATUSES = ['ok', 'processing', 'error'] as const
export type ModelStatus = (typeof STATUSES)[number]

/** What people and files say of a model; it decides nothing. */
export interface Declared {
  licence: string | null
  task: string | null
  tags: string[]
  base_model: string | null
  /** The one model here that the claimed base means; null when there is none, or several. */
  base_model_id: string | null
  source: Partial<Record<ClaimField, 'person' | 'file'>>
}

export type ClaimField = 'licence' | 'task' | 'tags' | 'base_model'

/** A claim that contradicts the weights, as a sentence. */
export interface ClaimConflict {
  kind: 'base_model' | 'licence'
  detail: string
}

export interface ModelChanges {
  name?: string
  description?: string
  licence?: string | null
  task?: string | null
  tags?: string[] | null
  base_model?: string | null
}

/** Numbers of models by value. */
export interface Facets {
  relations: Partial<Record<Relation, number>>
  statuses: Partial<Record<ModelStatus, number>>
  licences: Record<string, number>
  tags: Record<string, number>
}

export interface Model {
  id: string
  name: string
  description: string
  status: ModelStatus
  /** Who brought it; the name is null when they are gone. */
  owner: { id: string; name: string | null } | null
  error: string | null
  filename: string
  format: string
  file_size: number
  checksum: string
  total_parameters: number | null
  layer_count: number | null
  structural_hash: string | null
  dtypes: Record<string, number>
  quality: string[]
  family_id: string | null
  family_name: string | null
  family_size: number | null
  parent_id: string | null
  parent_name: string | null
  relation: Relation | null
  confidence_score: number | null
  is_root: boolean
  created_at: string
  processed_at: string | null
  file_path: string
  weights_uri: string
  declared: Declared
  conflicts: ClaimConflict[]
}

export interface Evidence {
  delta_rank: number | null
  changed_tensors: number | null
  shared_tensors: number | null
  changed: string[]
  flags: string[]
  bits: number | null
  zero_fraction: number | null
  relative_change: number | null
  direction: number | null
  signals: Record<string, number>
  runner_up: string | null
  margin: number | null
  merge_method: string | null
  merge_parameters: Record<string, number>
  gradient: number[]
  merged: string[]
  exact: boolean
  method: string
  /** Who confirmed this parent; the confidence is then their word, not a measure. */
  stated_by: string | null
}

export interface Edge {
  parent: string
  child: string
  main: boolean
  relation: Relation
  coefficient: number | null
  confidence: number
  distance: number
  resolved: boolean
  evidence: Evidence
}

/** A model seen from another one. */
export interface Relative {
  id: string
  name: string
  relation: Relation
  confidence: number
  distance: number
  coefficient: number | null
  main: boolean
  evidence: Evidence
  /** Why it is believed, as sentences. */
  reasons: string[]
  /** The next best parent. */
  runner_up: RunnerUp | null
}

export interface RunnerUp {
  id: string
  name: string
  confidence: number
}

export interface ModelDetail extends Model {
  lineage: { parent: Relative | null; other_parents: Relative[]; children: Relative[] }
}

export interface Family {
  id: string
  name: string
  /** What people call it; null while it is called after its root. */
  given_name: string | null
  size: number
  root_id: string | null
  root_name: string | null
  root_confidence: number | null
  depth: number
  leaf_count: number
  unresolved_count: number
  mean_confidence: number | null
  avg_intra_distance: number | null
  diameter: number | null
  total_parameters: number
  method: string | null
  /** Why missing ancestors could not be noticed; null where they could. */
  ghost_limit: GhostLimit | null
  created_at: string
  updated_at: string
}

export interface FamilyPage {
  families: Family[]
  total: number
  next_cursor: string | null
}

export type GhostLimit = 'few_models' | 'few_matrices' | 'drift'

export interface Ghost {
  id: string
  children: string[]
  confidence: number
  /** The nearest ancestor that is here; null when the ghost stands above all that are. */
  parent: string | null
  /** To each child, relative like an edge's; empty when they were not measured. */
  distances: number[]
}

export interface FamilyTree {
  family_id: string
  method: string
  root_id: string | null
  nodes: Model[]
  edges: Edge[]
  ghosts: Ghost[]
}

export const JOB_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

export const JOB_KINDS = [
  'process',
  'reprocess',
  'rebuild',
  'recluster',
  'import',
  'cleanup',
  'delete',
] as const
export type JobKind = (typeof JOB_KINDS)[number]

export interface Job {
  id: string
  kind: JobKind
  state: JobState
  stage: string | null
  progress: number
  /** What is left by the time of `updated_at`; null when it cannot be told. */
  eta_seconds: number | null
  attempts: number
  max_attempts: number
  model_id: string | null
  family_id: string | null
  parameters: Record<string, unknown>
  error: string | null
  result: Record<string, unknown> | null
  created_at: string
  started_at: string | null
  updated_at: string
  finished_at: string | null
}

export interface JobPage {
  jobs: Job[]
  total: number
  next_cursor: string | null
}

export interface ModelPage {
  models: Model[]
  total: number
  next_cursor: string | null
}

/** What a person says of a model; what is left out is read from its files, where they say it. */
export interface Words {
  name: string
  description: string
  licence?: string
  tags?: string[]
  base_model?: string
}

/** How far a resumable upload is, and what became of it. */
export interface ResumableUpload {
  id: string
  filename: string
  offset: number
  length: number
  state: 'receiving' | 'received' | 'processing' | 'done' | 'failed'
  model_id: string | null
  job_id: string | null
  existing_id: string | null
}

/** Where a file that is not stored would belong. */
export interface Identification {
  family_id: string | null
  family_name: string | null
  /** Possible parents, the likeliest first; a runner-up has no relation of its own. */
  candidates: Candidate[]
  /** Stored models that would descend from the file. */
  children: Candidate[]
  parent_id: string | null
  relation: Relation | null
  confidence: number | null
  /** The model that holds the same bytes already. */
  existing_id: string | null
}

export interface Candidate {
  id: string
  name: string
  confidence: number
  relation?: Relation | null
  /** Sentences that say why it is believed. */
  reasons?: string[]
}

export interface TensorComparison {
  name: string
  /** The number of its layer; null outside the layers. */
  layer: number | null
  /** "attention", "mlp", "embedding", ... */
  kind: string
  /** Norm of the first model's values. */
  norm: number | null
  shape: number[] | null
  other_shape: number[] | null
  distance: number | null
  relative_change: number | null
  cosine: number | null
  /** Share of the values that are the same in both, 0 to 1. */
  equal: number | null
  /** Rank of the change of a matrix, where it is low. */
  delta_rank: number | null
  status: 'equal' | 'changed' | 'reshaped' | 'removed' | 'added'
  /** The status or, of what changed, in which way. */
  verdict: string
}

/** What the second model is to the first by the tree. */
export interface Kinship {
  kind: 'same' | 'parent' | 'child' | 'ancestor' | 'descendant' | 'sibling' | 'relative' | 'none'
  /** Ids from the first to the second, through their nearest common ancestor. */
  path: string[]
  confidence: number | null
  relation: Relation | null
  reasons: string[]
}

/** Tensors that belong together, and how much of them changed. */
export interface ChangeGroup {
  tensors: number
  changed: number
  relative_change: number | null
}

export interface Comparison {
  model_id: string
  other_id: string
  summary: string
  distance: number | null
  /** Whether the two share a history at all. */
  related: boolean
  /** The signals of direction by name, seen from the first to the second; null when not measured. */
  relation_evidence: Record<string, number> | null
  /** In the order of the network; null is what belongs to no layer. */
  layers: (ChangeGroup & { layer: number | null })[]
  kinds: (ChangeGroup & { kind: string })[]
  kinship: Kinship
  tensors: TensorComparison[]
}

export interface Health {
  status: string
  version: string
}

export interface Ready {
  status: string
  /** Dependency -> `ok`. */
  checks: Record<string, string>
}

export interface ServerSetting {
  name: string
  value: unknown
  unit: string
  origin: 'command' | 'environment' | 'file' | 'default'
  /** What it is called there. */
  place: string
  help: string
}

export interface ServerSettingList {
  settings: ServerSetting[]
}

export interface Stats {
  total_models: number
  total_families: number
  total_parameters: number
  total_bytes: number
  total_edges: number
  resolved_edges: number
  processing: number
  errors: number
  relations: Partial<Record<Relation, number>>
  mean_confidence: number | null
  largest_families: Family[]
}

/** The lake in distributions. */
export interface LakeDistributions {
  arrivals: { unit: 'day' | 'month'; counts: { start: string; models: number }[] }
  formats: { format: string; models: number; bytes: number }[]
  /** From `least` to less than `below`; null for the largest. */
  family_sizes: { least: number; below: number | null; families: number }[]
  parameters: { least: number; below: number; models: number }[]
  /** Ten bins over [0, 1]. */
  confidence: { least: number; edges: number; expected_right: number }[]
  /** The same bins, measured on models whose true parents are known. */
  calibration: { edges: number; right: number; mean_confidence: number | null }[]
  storage: StoredBytes & { relations: (StoredBytes & { relation: Relation })[] }
}

export interface StoredBytes {
  models: number
  /** Models of which both files were compared. */
  measured: number
  bytes: number
  saved_bytes: number
}

/** What the server does for its data by itself, for admins. */
export interface Upkeep {
  backups: number
  last_backup_at: string | null
  /** When one was last read again whole, and found without a problem. */
  last_verified_at: string | null
  backup_problem: string | null
  /** Checksums. */
  damaged_files: string[]
}

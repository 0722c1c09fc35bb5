import type { Evidence, FamilyTree, Model, Relation } from '@/lib/types'

/** An invented family for the home page of an empty lake. It is always labelled as an example. */

const model = (name: string): Model => ({
  id: name,
  name,
  description: '',
  status: 'ok',
  error: null,
  filename: `${name}.safetensors`,
  format: 'safetensors',
  file_size: 0,
  checksum: '',
  total_parameters: null,
  layer_count: null,
  structural_hash: null,
  dtypes: {},
  quality: [],
  family_id: 'example',
  family_name: 'Example',
  family_size: null,
  parent_id: null,
  parent_name: null,
  relation: null,
  confidence_score: null,
  is_root: false,
  created_at: '',
  processed_at: null,
  file_path: '',
  weights_uri: '',
})

const EVIDENCE: Evidence = {
  delta_rank: null,
  changed_tensors: null,
  shared_tensors: null,
  changed: [],
  flags: [],
  bits: null,
  zero_fraction: null,
  relative_change: null,
  direction: null,
  signals: {},
  runner_up: null,
  margin: null,
  merge_method: null,
  merge_parameters: {},
  gradient: [],
  merged: [],
  exact: true,
  method: 'heritage',
}

const EDGES: [parent: string, child: string, relation: Relation, main?: false][] = [
  ['base', 'chat', 'finetune'],
  ['base', 'code', 'finetune'],
  ['base', 'base-int4', 'quantized'],
  ['chat', 'chat-lora', 'adapter'],
  ['chat', 'chat-sparse', 'pruned'],
  ['code', 'code-head', 'partial'],
  ['code', 'chat-x-code', 'merge'],
  ['chat', 'chat-x-code', 'merge', false],
  ['chat-lora', 'chat-lora-fp16', 'cast'],
]

export const EXAMPLE_TREE: FamilyTree = {
  family_id: 'example',
  method: 'heritage',
  root_id: 'base',
  nodes: ['base', ...new Set(EDGES.map(([, child]) => child))].map(model),
  edges: EDGES.map(([parent, child, relation, main]) => ({
    parent,
    child,
    relation,
    main: main ?? true,
    coefficient: null,
    confidence: 0.95,
    distance: 0.05,
    resolved: true,
    evidence: EVIDENCE,
  })),
  ghosts: [],
}

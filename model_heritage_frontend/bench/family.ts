import type { Edge, Evidence, FamilyTree, Model, Relation } from '@/lib/types'

/** An invented family of any size, the same one every time. */

const RELATIONS: Relation[] = [
  'finetune',
  'finetune',
  'finetune',
  'partial',
  'adapter',
  'adapter',
  'quantized',
  'pruned',
  'cast',
  'unresolved',
]
const TOPICS = ['base', 'chat', 'code', 'math', 'vision', 'instruct']

/** Numbers in [0, 1) from a seed (Lehmer's generator). */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const evidence: Evidence = {
  delta_rank: null,
  changed_tensors: 38,
  shared_tensors: 40,
  changed: [],
  flags: [],
  bits: null,
  zero_fraction: null,
  relative_change: 0.03,
  direction: 2,
  signals: {},
  runner_up: null,
  margin: null,
  merge_method: null,
  merge_parameters: {},
  gradient: [],
  merged: [],
  exact: true,
  method: 'heritage',
  stated_by: null,
}

function makeModel(index: number): Model {
  return {
    id: `m_${index}`,
    name: `${TOPICS[index % TOPICS.length]}-${index}`,
    description: '',
    status: 'ok',
    error: null,
    filename: 'model.safetensors',
    format: 'safetensors',
    file_size: 135_432,
    checksum: '',
    total_parameters: 33_802,
    layer_count: 12,
    structural_hash: null,
    dtypes: { F32: 33_802 },
    quality: [],
    family_id: 'f_1',
    family_name: 'Bench',
    family_size: null,
    parent_id: null,
    parent_name: null,
    relation: null,
    confidence_score: null,
    is_root: index === 0,
    owner: null,
    created_at: new Date(1.7e12 + index * 3.6e6).toISOString(),
    processed_at: null,
    file_path: '',
    weights_uri: '',
    declared: {
      licence: null,
      task: null,
      tags: [],
      base_model: null,
      base_model_id: null,
      source: {},
    },
    conflicts: [],
  }
}

/** Popular models have many children, as on model hubs; one in forty is a merge of two. */
export function makeFamily(size: number): FamilyTree {
  const random = makeRandom(20261121)
  const nodes: Model[] = []
  const edges: Edge[] = []
  const add = (parent: number, child: number, relation: Relation, main: boolean) => {
    const confidence = 0.3 + 0.7 * random()
    edges.push({
      parent: `m_${parent}`,
      child: `m_${child}`,
      main,
      relation,
      coefficient: null,
      confidence,
      distance: 0.01 + 0.2 * random(),
      resolved: relation !== 'unresolved',
      evidence,
    })
  }
  for (let index = 0; index < size; index += 1) {
    nodes.push(makeModel(index))
    if (index === 0) continue
    const merge = index > 2 && random() < 0.025
    const relation = RELATIONS[Math.floor(random() * RELATIONS.length)] ?? 'finetune'
    const parent = Math.floor(random() * random() * Math.min(index, size / 5))
    add(parent, index, merge ? 'merge' : relation, true)
    if (merge) add((parent + 1) % Math.min(index, 50), index, 'merge', false)
  }
  return { family_id: 'f_1', method: 'heritage', root_id: 'm_0', nodes, edges, ghosts: [] }
}

import type { Edge, Family, FamilyTree, Model } from '@/lib/types'
import { reportWords } from '@/strings/report'
import { formatWords } from '@/strings/format'

/** A `model-heritage/1` document, as far as the page shows it. */
export interface HeritageDocument {
  models: DocumentModel[]
  edges: Edge[]
  families: {
    id: string
    root: string | null
    root_confidence: number | null
    size: number
    method: string
    ghost_limit: Family['ghost_limit']
  }[]
  ghosts: (FamilyTree['ghosts'][number] & { family: string })[]
  errors: { path: string; type: string; detail: string }[]
}

interface DocumentModel {
  id: string
  path: string
  checksum: string
  family: string | null
  total_parameters: number
  quality?: string[]
}

/** What the command puts into the page. */
export interface ReportData {
  /** What was scanned, for the title. */
  title: string
  /** When, ISO 8601. */
  made_at: string
  document: HeritageDocument
  /** Bytes of the files, by path. */
  sizes: Record<string, number>
}

export interface ReportFamily {
  id: string
  name: string
  size: number
  tree: FamilyTree
}

export interface Report {
  /** Of two models and more, the largest first. */
  families: ReportFamily[]
  models: ReadonlyMap<string, Model>
  edges: readonly Edge[]
  /** Models without relatives, by name. */
  alone: Model[]
}

const ENDING = /\.(safetensors|gguf|npz|pt|pth|ckpt|bin|zip)$/i

/** The file's name without its ending; the whole path where another file is called alike. */
function nameModels(models: readonly DocumentModel[]): Map<string, string> {
  const short = (path: string) => (path.split('/').pop() ?? path).replace(ENDING, '')
  const uses = new Map<string, number>()
  for (const { path } of models) uses.set(short(path), (uses.get(short(path)) ?? 0) + 1)
  return new Map(
    models.map(({ id, path }) => [id, uses.get(short(path)) === 1 ? short(path) : path]),
  )
}

/** The document in the shapes of the API, which the components draw. */
export function readReport({ document, made_at, sizes }: ReportData): Report {
  const names = nameModels(document.models)
  const main = new Map(document.edges.filter(({ main }) => main).map((edge) => [edge.child, edge]))
  const families = new Map(document.families.map((family) => [family.id, family]))
  const models = new Map<string, Model>()
  for (const { id, path, checksum, family, total_parameters, quality } of document.models) {
    const edge = main.get(id)
    const known = family === null ? undefined : families.get(family)
    models.set(id, {
      id,
      name: names.get(id) ?? path,
      description: '',
      status: 'ok',
      error: null,
      filename: path,
      format: '',
      file_size: sizes[path] ?? 0,
      checksum,
      total_parameters,
      layer_count: null,
      structural_hash: null,
      dtypes: {},
      quality: quality ?? [],
      family_id: family,
      family_name: null,
      family_size: known?.size ?? 1,
      parent_id: edge?.parent ?? null,
      parent_name: edge ? (names.get(edge.parent) ?? null) : null,
      relation: edge?.relation ?? null,
      confidence_score: edge?.confidence ?? null,
      is_root: known?.root === id,
      owner: null,
      created_at: made_at,
      processed_at: made_at,
      file_path: path,
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
    })
  }
  const related = document.families.filter(({ size }) => size > 1)
  const belongs = (id: string, family: string) => models.get(id)?.family_id === family
  return {
    families: related.map(({ id, root, size, method }) => ({
      id,
      name: root === null ? reportWords.family(id) : reportWords.familyOf(names.get(root) ?? root),
      size,
      tree: {
        family_id: id,
        method,
        root_id: root,
        nodes: [...models.values()].filter(({ family_id }) => family_id === id),
        edges: document.edges.filter(({ child }) => belongs(child, id)),
        ghosts: document.ghosts.filter(({ family }) => family === id),
      },
    })),
    models,
    edges: document.edges,
    alone: [...models.values()]
      .filter(({ family_size }) => (family_size ?? 1) < 2)
      .sort((a, b) => a.name.localeCompare(b.name, formatWords.locale, { numeric: true })),
  }
}

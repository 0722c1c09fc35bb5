import { formatDate } from '@/lib/format'
import { RELATION_WORDS, relationColor } from '@/lib/relations'
import { RELATIONS, type Edge, type Relation } from '@/lib/types'
import { treeWords } from '@/strings/tree'

import type { TreeLayout, TreeNode } from './layout'

/** What the colours of a drawing tell. */
export const COLOURINGS = ['relation', 'confidence', 'licence', 'date', 'tag'] as const
export type ColouringKind = (typeof COLOURINGS)[number]

export interface LegendEntry {
  label: string
  colour: string
}

/** Colours are CSS with theme variables; a canvas resolves them by its palette. */
export interface Colouring {
  kind: ColouringKind
  of: (node: TreeNode, edge: Edge | null) => string
  /** Only what occurs. */
  legend: LegendEntry[]
}

const NONE = relationColor('unresolved')

/** Hues that are told apart in both themes, the most common value first. */
const HUES: Relation[] = ['finetune', 'adapter', 'merge', 'partial', 'quantized', 'pruned', 'cast']

const mix = (share: number): string =>
  `color-mix(in oklab, ${relationColor('finetune')} ${Math.round(share * 100)}%, ${relationColor('merge')})`

const CONFIDENCES: [from: number, label: string, colour: string][] = [
  [0.99, treeWords.colours.confidence.certain, mix(1)],
  [0.9, treeWords.colours.confidence.sure, mix(0.72)],
  [0.75, treeWords.colours.confidence.likely, mix(0.45)],
  [0.5, treeWords.colours.confidence.open, mix(0)],
  [0, treeWords.colours.confidence.weak, relationColor('quantized')],
]

function byRelation(layout: TreeLayout): Colouring {
  const used = new Set<Relation>()
  for (const { edge } of layout.links) if (edge) used.add(edge.relation)
  return {
    kind: 'relation',
    of: (node, edge) => {
      if (edge) return relationColor(edge.relation)
      return node.ghost || node.more || node.parent ? NONE : 'var(--primary)'
    },
    legend: RELATIONS.filter((relation) => used.has(relation)).map((relation) => ({
      label: RELATION_WORDS[relation].label,
      colour: relationColor(relation),
    })),
  }
}

function byConfidence(layout: TreeLayout): Colouring {
  const colourOf = (confidence: number) =>
    CONFIDENCES.find(([from]) => confidence >= from)?.[2] ?? NONE
  const used = new Set<string>()
  for (const { edge } of layout.links) if (edge) used.add(colourOf(edge.confidence))
  return {
    kind: 'confidence',
    of: (_node, edge) => (edge ? colourOf(edge.confidence) : NONE),
    legend: CONFIDENCES.filter(([, , colour]) => used.has(colour)).map(([, label, colour]) => ({
      label,
      colour,
    })),
  }
}

/** Values of a word that a model carries: each of the most common ones has a hue. */
function byWord(
  kind: 'licence' | 'tag',
  layout: TreeLayout,
  wordsOf: (node: TreeNode) => string[],
): Colouring {
  const counts = new Map<string, number>()
  let without = false
  for (const node of layout.nodes) {
    if (!node.model) continue
    const words = wordsOf(node)
    if (words.length === 0) without = true
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const common = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const hues = new Map(
    common
      .slice(0, HUES.length)
      .map(([word], index) => [word, relationColor(HUES[index] ?? 'cast')]),
  )
  const other = relationColor('duplicate')
  const legend = [...hues].map(([label, colour]) => ({ label, colour }))
  if (common.length > HUES.length) {
    legend.push({ label: treeWords.colours.others(common.length - HUES.length), colour: other })
  }
  if (without)
    legend.push({
      label: kind === 'tag' ? treeWords.colours.noTag : treeWords.colours.noLicence,
      colour: NONE,
    })
  return {
    kind,
    of: (node) => {
      const words = node.model ? wordsOf(node) : []
      // Of several tags the most common one decides.
      const best = words
        .filter((word) => hues.has(word))
        .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))[0]
      return (best && hues.get(best)) ?? (words.length > 0 ? other : NONE)
    },
    legend,
  }
}

const SHADES = [0.25, 0.45, 0.65, 0.85, 1].map(
  (share) =>
    `color-mix(in oklab, var(--primary) ${Math.round(share * 100)}%, ${relationColor('merge')})`,
)

/** Five parts of the time, the newest strongest. */
function byDate(layout: TreeLayout): Colouring {
  const times = layout.nodes.flatMap((node) =>
    node.model ? [Date.parse(node.model.created_at)] : [],
  )
  const first = times.reduce((a, b) => Math.min(a, b), Infinity)
  const last = times.reduce((a, b) => Math.max(a, b), -Infinity)
  const part = (last - first) / SHADES.length
  const indexOf = (time: number) =>
    part > 0 ? Math.min(Math.floor((time - first) / part), SHADES.length - 1) : SHADES.length - 1
  const used = new Set(times.map(indexOf))
  const legend = SHADES.flatMap((colour, index) => {
    if (!used.has(index)) return []
    const from = new Date(first + index * part).toISOString()
    return [
      {
        label: part > 0 ? treeWords.colours.from(formatDate(from, part)) : formatDate(from, 0),
        colour,
      },
    ]
  })
  return {
    kind: 'date',
    of: (node) =>
      node.model ? (SHADES[indexOf(Date.parse(node.model.created_at))] ?? NONE) : NONE,
    legend,
  }
}

export function makeColouring(kind: ColouringKind, layout: TreeLayout): Colouring {
  switch (kind) {
    case 'relation':
      return byRelation(layout)
    case 'confidence':
      return byConfidence(layout)
    case 'licence':
      return byWord('licence', layout, ({ model }) =>
        model?.declared.licence ? [model.declared.licence] : [],
      )
    case 'tag':
      return byWord('tag', layout, ({ model }) => model?.declared.tags ?? [])
    case 'date':
      return byDate(layout)
  }
}

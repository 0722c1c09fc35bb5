/** What people state about families, and how families changed: the shapes of the API (docs/api.md). */

import type { Family, FamilyTree } from '@/lib/types'
import { formatWords } from '@/strings/format'
import { relationWords } from '@/strings/relations'

const words = relationWords.statement

export interface Statement {
  author: string
  reason: string
}

export type CorrectionKind = 'confirm' | 'forbid' | 'root'

export interface NewConstraint extends Statement {
  kind: CorrectionKind
  parent?: string
}

interface NamedModel {
  id: string
  name: string
}

/** A statement in force. */
export interface Constraint extends Statement {
  id: string
  kind: CorrectionKind | 'split'
  model: NamedModel | null
  parent: NamedModel | null
  models: NamedModel[]
  others: NamedModel[]
  created_at: string | null
}

/** The families that a statement changed, and the model's tree solved around it. */
export interface Corrected {
  constraint: Constraint
  families: Family[]
  tree: FamilyTree
}

export interface Revision {
  number: number
  cause: string
  summary: string
  model: NamedModel | null
  /** What was stated or taken back. */
  statement: { id: string } | null
  author: string | null
  reason: string
  size: number
  came_from: string[]
  went_to: string[]
  created_at: string
}

export interface RevisionPage {
  family_id: string
  revisions: Revision[]
  total: number
  next_cursor: number | null
}

interface Change {
  change: string
  revision: number
  /** The whole change as a sentence. */
  why: string
}

export interface RevisionDiff {
  family_id: string
  members: (Change & NamedModel)[]
  edges: (Change & { child: NamedModel })[]
}

const joinNames = (models: NamedModel[]): string => {
  const names = models.map((model) => model.name)
  const shown = names.length > 3 ? [...names.slice(0, 2), words.more(names.length - 2)] : names
  return new Intl.ListFormat(formatWords.locale).format(shown)
}

/** A statement as a sentence. */
export function describeConstraint({ kind, model, parent, models, others }: Constraint): string {
  const child = model?.name ?? words.aModelWithin
  switch (kind) {
    case 'confirm':
      return words.confirm(parent?.name ?? words.aModel, child)
    case 'forbid':
      return words.forbid(parent?.name ?? words.aModel, child)
    case 'root':
      return words.root(child)
    case 'split':
      return words.split(joinNames(others), joinNames(models))
  }
}

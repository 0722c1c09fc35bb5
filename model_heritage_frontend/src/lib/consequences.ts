/** What follows from a model for those that came from it: the shapes of the API (docs/api.md). */

import type { Relation } from '@/lib/types'
import { relationWords } from '@/strings/relations'

interface Step {
  parent: string
  child: string
  parent_name: string
  child_name: string
  relation: Relation
  confidence: number
}

/** A model at the other end of a line of descent. */
export interface Reached {
  id: string
  name: string
  /** That the line exists, 0 to 1. */
  probability: number
  /** That of the last step. */
  relation: Relation
  /** Whether the weights are the same. */
  equal: boolean
  /** The likeliest way, from the ancestor down. */
  path: Step[]
}

export interface Doubt {
  id: string
  name: string
  kind: 'model' | 'ghost'
  probability: number | null
  reason: string
}

export interface Impact {
  model_id: string
  name: string
  summary: string
  sure: Reached[]
  likely: Reached[]
  possible: Reached[]
  cannot_be_ruled_out: Doubt[]
}

export interface LicenceReport {
  model_id: string
  licence: string | null
  known: boolean
  inherited: { restriction: string; licence: string; from: Reached }[]
  unknown_above: { licence: string | null; from: Reached }[]
  heirs: { model: Reached; licence: string | null; dropped: string[] | null }[]
  summary: string
  notice: string
}

export const describeRestriction = (restriction: string): string =>
  relationWords.restrictions[restriction] ?? restriction.replaceAll('_', ' ')

/** The names along a way, both ends included. */
export const listWay = (reached: Reached): string[] => {
  const [first] = reached.path
  return first ? [first.parent_name, ...reached.path.map((step) => step.child_name)] : []
}

import { useQuery } from '@tanstack/react-query'
import { GitCompareArrowsIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge, RelationDot } from '@/components/relation-badge'
import { StatedBadge } from '@/components/stated-badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Tooltip } from '@/components/ui/tooltip'
import { treeQuery } from '@/hooks/queries'
import { formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import { RELATION_WORDS } from '@/lib/relations'
import type { FamilyTree, ModelDetail, Relation, Relative } from '@/lib/types'
import { modelWords } from '@/strings/model'
import { formatWords } from '@/strings/format'

const words = modelWords.lineage

interface RelativeRowProps {
  relative: Relative
  /** The parent and the child of this edge, for the comparison. */
  pair: [string, string]
}

function RelativeRow({ relative, pair }: RelativeRowProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 py-2.5">
      <Link
        to={paths.model(relative.id)}
        className="hover:text-primary min-w-0 flex-1 basis-40 font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline"
      >
        {relative.name}
      </Link>
      {relative.coefficient !== null && (
        <span className="text-muted-foreground text-sm tabular-nums">
          {words.mixture(formatPercent(relative.coefficient))}
        </span>
      )}
      <span className="flex min-w-0 items-center gap-3">
        <RelationBadge relation={relative.relation} />
        {relative.evidence.stated_by === null ? (
          <Confidence value={relative.confidence} />
        ) : (
          <StatedBadge author={relative.evidence.stated_by} />
        )}
        <Tooltip content={words.compare}>
          <Button asChild variant="ghost" size="icon" className="size-8">
            <Link to={paths.compare(...pair)} aria-label={words.compareWith(relative.name)}>
              <GitCompareArrowsIcon aria-hidden />
            </Link>
          </Button>
        </Tooltip>
      </span>
    </li>
  )
}

interface Sibling {
  id: string
  name: string
  relation: Relation
}

/** The other children of its parent, from the tree that the page draws anyway. */
function listSiblings({ edges, nodes }: FamilyTree, model: string, parent: string): Sibling[] {
  const names = new Map(nodes.map((node) => [node.id, node.name]))
  return edges
    .filter((edge) => edge.main && edge.parent === parent && edge.child !== model)
    .map(({ child, relation }) => ({ id: child, name: names.get(child) ?? child, relation }))
    .sort((a, b) => a.name.localeCompare(b.name, formatWords.locale))
}

function Siblings({ model, familyId, parentId }: SiblingsProps) {
  const tree = useQuery(treeQuery(familyId))
  const siblings = tree.data ? listSiblings(tree.data, model, parentId) : []
  if (siblings.length === 0) return null
  return (
    <section>
      <h3 className="text-muted-foreground text-sm">{words.siblings(siblings.length)}</h3>
      <ul className="mt-2 flex max-h-60 flex-wrap gap-x-4 gap-y-2 overflow-y-auto">
        {siblings.map((sibling) => (
          <li key={sibling.id} className="flex min-w-0 items-center gap-2 text-sm">
            <RelationDot relation={sibling.relation} />
            <Link
              to={paths.model(sibling.id)}
              title={RELATION_WORDS[sibling.relation].label}
              className="hover:text-primary [overflow-wrap:anywhere] underline-offset-4 hover:underline"
            >
              {sibling.name}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

interface SiblingsProps {
  model: string
  familyId: string
  parentId: string
}

/** The nearest relatives, by name. */
export function ModelLineage({ model }: { model: ModelDetail }) {
  const { parent, other_parents: others, children } = model.lineage
  const parents = [...(parent ? [parent] : []), ...others]
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.title}</CardTitle>
      </CardHeader>
      <CardContent className="space-y-5 pt-3">
        <section>
          <h3 className="text-muted-foreground text-sm">{words.parents(parents.length)}</h3>
          {parents.length > 0 ? (
            <ul className="divide-y">
              {parents.map((each) => (
                <RelativeRow key={each.id} relative={each} pair={[each.id, model.id]} />
              ))}
            </ul>
          ) : (
            <p className="mt-1.5 text-sm">{words.noParent}</p>
          )}
        </section>
        <section>
          <h3 className="text-muted-foreground text-sm">{words.children(children.length)}</h3>
          {children.length > 0 ? (
            <ul className="max-h-96 divide-y overflow-y-auto">
              {children.map((child) => (
                <RelativeRow key={child.id} relative={child} pair={[model.id, child.id]} />
              ))}
            </ul>
          ) : (
            <p className="mt-1.5 text-sm">{words.noChildren}</p>
          )}
        </section>
        {model.parent_id && model.family_id && (
          <Siblings model={model.id} familyId={model.family_id} parentId={model.parent_id} />
        )}
      </CardContent>
    </Card>
  )
}

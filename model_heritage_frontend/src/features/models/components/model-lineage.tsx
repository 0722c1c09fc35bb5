import { GitCompareArrowsIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { RelationBadge } from '@/components/relation-badge'
import { StatedBadge } from '@/components/stated-badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Tooltip } from '@/components/ui/tooltip'
import { formatPercent, plural } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { ModelDetail, Relative } from '@/lib/types'

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
          {formatPercent(relative.coefficient)} of the mixture
        </span>
      )}
      <span className="flex min-w-0 items-center gap-3">
        <RelationBadge relation={relative.relation} />
        {relative.evidence.stated_by === null ? (
          <Confidence value={relative.confidence} />
        ) : (
          <StatedBadge author={relative.evidence.stated_by} />
        )}
        <Tooltip content="Compare the two, tensor by tensor">
          <Button asChild variant="ghost" size="icon" className="size-8">
            <Link to={paths.compare(...pair)} aria-label={`Compare with ${relative.name}`}>
              <GitCompareArrowsIcon aria-hidden />
            </Link>
          </Button>
        </Tooltip>
      </span>
    </li>
  )
}

/** The nearest relatives, by name. */
export function ModelLineage({ model }: { model: ModelDetail }) {
  const { parent, other_parents: others, children } = model.lineage
  const parents = [...(parent ? [parent] : []), ...others]
  return (
    <Card>
      <CardHeader>
        <CardTitle>Lineage</CardTitle>
      </CardHeader>
      <CardContent className="space-y-5 pt-3">
        <section>
          <h3 className="text-muted-foreground text-sm">
            {parents.length > 1 ? 'Parents' : 'Parent'}
          </h3>
          {parents.length > 0 ? (
            <ul className="divide-y">
              {parents.map((each) => (
                <RelativeRow key={each.id} relative={each} pair={[each.id, model.id]} />
              ))}
            </ul>
          ) : (
            <p className="mt-1.5 text-sm">None of the models here.</p>
          )}
        </section>
        <section>
          <h3 className="text-muted-foreground text-sm">
            {children.length > 0 ? plural(children.length, 'child', 'children') : 'Children'}
          </h3>
          {children.length > 0 ? (
            <ul className="max-h-96 divide-y overflow-y-auto">
              {children.map((child) => (
                <RelativeRow key={child.id} relative={child} pair={[model.id, child.id]} />
              ))}
            </ul>
          ) : (
            <p className="mt-1.5 text-sm">None so far.</p>
          )}
        </section>
      </CardContent>
    </Card>
  )
}

import { TriangleAlertIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Badge } from '@/components/ui/badge'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { ClaimField, ModelDetail } from '@/lib/types'
import { modelParts } from '@/strings/models'

const words = modelParts.modelClaims

const link =
  'hover:text-primary font-medium [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4'

interface ClaimProps {
  label: string
  field: ClaimField
  model: ModelDetail
  children: ReactNode
}

/** What is said in one field, and by whom; a dash where nobody says anything. */
function Claim({ label, field, model, children }: ClaimProps) {
  const source = model.declared.source[field]
  return (
    <div className="py-2.5">
      <dt className="text-muted-foreground text-sm">{label}</dt>
      <dd className="mt-0.5 text-sm">
        {source ? (
          <span className="flex flex-wrap items-baseline justify-between gap-x-3 gap-y-0.5">
            <span className="min-w-0 font-medium [overflow-wrap:anywhere]">{children}</span>
            <span className="text-muted-foreground">{words.sources[source]}</span>
          </span>
        ) : (
          <span className="text-muted-foreground">{words.nothingIsSaid}</span>
        )}
      </dd>
    </div>
  )
}

/** What the weights say of its origin, to lie beside what is said. */
function Inferred({ model }: { model: ModelDetail }) {
  const { parent, other_parents: others } = model.lineage
  if (!parent) return <>{words.noParentAmongThe}</>
  const stated = parent.evidence.stated_by
  return (
    <>
      {[parent, ...others].map((each, index) => (
        <span key={each.id}>
          {index > 0 && words.and}
          <Link to={paths.model(each.id)} className={link}>
            {each.name}
          </Link>
        </span>
      ))}
      {stated === null ? words.sure(formatPercent(parent.confidence)) : words.statedBy(stated)}
    </>
  )
}

/** What people and files say of a model, beside what its weights say. */
export function ModelClaims({ model }: { model: ModelDetail }) {
  const { declared, conflicts } = model
  const silent = Object.keys(declared.source).length === 0
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.saidOfIt}</CardTitle>
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        {conflicts.length > 0 && (
          <ul className="border-warning/30 bg-warning/5 my-2 space-y-2 rounded-lg border p-3.5">
            {conflicts.map((conflict) => (
              <li key={conflict.detail} className="flex gap-2.5 text-sm">
                <TriangleAlertIcon aria-hidden className="text-warning mt-0.5 size-4 shrink-0" />
                <span className="min-w-0 text-pretty [overflow-wrap:anywhere]">
                  {conflict.detail}
                </span>
              </li>
            ))}
          </ul>
        )}
        {silent ? (
          <p className="text-muted-foreground py-2 text-sm text-pretty">
            {words.neitherPeopleNorIts}
          </p>
        ) : (
          <dl className="divide-y">
            <Claim label={words.baseModel} field="base_model" model={model}>
              {declared.base_model_id ? (
                <Link to={paths.model(declared.base_model_id)} className={link}>
                  {declared.base_model}
                </Link>
              ) : (
                declared.base_model
              )}
            </Claim>
            <div className="py-2.5">
              <dt className="text-muted-foreground text-sm">{words.itsWeightsSay}</dt>
              <dd className="mt-0.5 text-sm [overflow-wrap:anywhere]">
                <Inferred model={model} />
              </dd>
            </div>
            <Claim label={words.licence} field="licence" model={model}>
              {declared.licence}
            </Claim>
            <Claim label={words.task} field="task" model={model}>
              {declared.task}
            </Claim>
            <Claim label={words.tags} field="tags" model={model}>
              <span className="flex flex-wrap gap-1.5">
                {declared.tags.map((tag) => (
                  <Badge key={tag} asChild variant="outline" className="hover:border-ring/60">
                    <Link to={paths.modelsOfTag(tag)}>
                      <span className="truncate">{tag}</span>
                    </Link>
                  </Badge>
                ))}
              </span>
            </Claim>
          </dl>
        )}
      </CardContent>
    </Card>
  )
}

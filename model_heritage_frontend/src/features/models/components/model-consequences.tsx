import { useQuery } from '@tanstack/react-query'
import { DownloadIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Confidence } from '@/components/confidence'
import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { impactQuery, licenceQuery } from '@/hooks/queries'
import { impactTableUrl } from '@/lib/api'
import {
  describeRestriction,
  listWay,
  type Doubt,
  type Impact,
  type LicenceReport,
  type Reached,
} from '@/lib/consequences'
import { formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import { modelParts } from '@/strings/models'

const words = modelParts.modelConsequences

const link =
  'hover:text-primary font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline'

function ReachedRow({ reached }: { reached: Reached }) {
  const between = listWay(reached).slice(1, -1)
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 py-2">
      <div className="min-w-0 flex-1 basis-40 text-sm">
        <Link to={paths.model(reached.id)} className={link}>
          {reached.name}
        </Link>
        {reached.equal ? (
          <span className="text-muted-foreground">{words.theSameWeights}</span>
        ) : (
          between.length > 0 && (
            <span className="text-muted-foreground [overflow-wrap:anywhere]">
              {' '}
              {words.byWayOf} {between.join(' → ')}
            </span>
          )
        )}
      </div>
      <Confidence value={reached.probability} />
    </li>
  )
}

interface GroupProps {
  title: string
  note: string
  reached: Reached[]
  open?: boolean
}

/** One group of descendants behind its count, so that a long list can be passed by. */
function Group({ title, note, reached, open = false }: GroupProps) {
  if (reached.length === 0) return null
  return (
    <details open={open} className="py-2.5">
      <summary className="cursor-pointer text-sm select-none">
        <span className="font-medium">{words.group(title, reached.length)}</span>{' '}
        <span className="text-muted-foreground">{note}</span>
      </summary>
      <ul className="mt-1 max-h-80 divide-y overflow-y-auto pl-4">
        {reached.map((each) => (
          <ReachedRow key={each.id} reached={each} />
        ))}
      </ul>
    </details>
  )
}

function Doubts({ doubts }: { doubts: Doubt[] }) {
  if (doubts.length === 0) return null
  return (
    <details className="py-2.5">
      <summary className="cursor-pointer text-sm font-medium select-none">
        {words.cannotBeRuledOut} {doubts.length}
      </summary>
      <ul className="mt-2 space-y-1.5 pl-4 text-sm">
        {doubts.map((doubt) => (
          <li key={doubt.id} className="[overflow-wrap:anywhere]">
            {doubt.kind === 'model' && (
              <>
                <Link to={paths.model(doubt.id)} className={link}>
                  {doubt.name}
                </Link>
                {': '}
              </>
            )}
            <span className="text-muted-foreground">{doubt.reason}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}

function ImpactSection({ impact }: { impact: Impact }) {
  const { sure, likely, possible, cannot_be_ruled_out: doubts } = impact
  return (
    <section>
      <h3 className="text-sm font-medium">{words.ifItIsFlawed}</h3>
      <p className="text-muted-foreground mt-1 text-sm text-pretty [overflow-wrap:anywhere]">
        {impact.summary}
      </p>
      <div className="mt-2 divide-y">
        <Group title={words.sure} note={words.n90OrMore} reached={sure} open={sure.length <= 8} />
        <Group title={words.likely} note={words.n50To90} reached={likely} />
        <Group title={words.possible} note={words.lessThan50} reached={possible} />
        <Doubts doubts={doubts} />
      </div>
    </section>
  )
}

/** Which restrictions come from where, and which heirs dropped them. */
function LicenceSection({ report }: { report: LicenceReport }) {
  const dropping = report.heirs.filter((heir) => (heir.dropped?.length ?? 0) > 0)
  return (
    <section className="border-t pt-4">
      <h3 className="text-sm font-medium">{words.licence}</h3>
      <p className="text-muted-foreground mt-1 text-sm text-pretty [overflow-wrap:anywhere]">
        {report.summary}
      </p>
      {(report.inherited.length > 0 || dropping.length > 0) && (
        <ul className="mt-2 space-y-1.5 text-sm">
          {report.inherited.map(({ restriction, licence, from }) => (
            <li key={`${restriction} ${from.id}`} className="[overflow-wrap:anywhere]">
              {licence} {words.of}{' '}
              <Link to={paths.model(from.id)} className={link}>
                {from.name}
              </Link>{' '}
              {words.asksFor} {describeRestriction(restriction)}{' '}
              <span className="text-muted-foreground">
                ({formatPercent(from.probability)} {words.sureThatItComes}
              </span>
            </li>
          ))}
          {dropping.map(({ model, licence, dropped }) => (
            <li key={model.id} className="text-warning [overflow-wrap:anywhere]">
              <Link to={paths.model(model.id)} className={link}>
                {model.name}
              </Link>
              {licence ? ` (${licence})` : ''} {words.noLongerAsksFor}{' '}
              {dropped?.map(describeRestriction).join(', ')}
            </li>
          ))}
        </ul>
      )}
      <p className="text-muted-foreground mt-3 text-xs text-pretty">{report.notice}</p>
    </section>
  )
}

/** What follows from a model for those that came from it: a recall report and the licences. */
export function ModelConsequences({ modelId }: { modelId: string }) {
  const impact = useQuery(impactQuery(modelId))
  const licence = useQuery(licenceQuery(modelId))
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.whatFollows}</CardTitle>
        <Button asChild variant="ghost" size="sm">
          <a href={impactTableUrl(modelId)} download>
            <DownloadIcon aria-hidden />
            {words.csv}
            <span className="sr-only"> {words.ofTheDescendants}</span>
          </a>
        </Button>
      </CardHeader>
      <CardContent className="space-y-4 pt-3">
        {impact.isPending || licence.isPending ? (
          <Loading label={words.whatFollows2}>
            <Skeleton className="h-28" />
          </Loading>
        ) : (
          <>
            {impact.isError ? (
              <ErrorState
                error={impact.error}
                onRetry={() => void impact.refetch()}
                className="py-6"
              />
            ) : (
              <ImpactSection impact={impact.data} />
            )}
            {licence.isError ? (
              <ErrorState
                error={licence.error}
                onRetry={() => void licence.refetch()}
                className="py-6"
              />
            ) : (
              <LicenceSection report={licence.data} />
            )}
          </>
        )}
      </CardContent>
    </Card>
  )
}

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ArrowRightIcon } from 'lucide-react'
import { Link, useLocation } from 'react-router'

import { Tour } from '@/app/layout/tour'
import { AddModels } from '@/components/add-models'
import { CopyButton } from '@/components/copy-button'
import { Needs } from '@/components/needs'
import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { LatestModels } from '@/features/models/components/latest-models'
import { Totals } from '@/features/statistics/components/totals'
import { HomeTree } from '@/features/tree/components/home-tree'
import { HomeDropZone } from '@/features/upload/components/home-drop-zone'
import { familiesQuery, statsQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'
import type { Family, Stats } from '@/lib/types'
import { homeWords as words } from '@/strings/home'

/** The largest family that a small picture can show. */
const LARGEST_DRAWN = 48

const isDrawable = (family: Family): boolean => family.size > 1 && family.size <= LARGEST_DRAWN

/** A family for the picture: one that is small enough, looked for further down if need be. */
function useShownFamily(stats: Stats | undefined): { family: Family | null; isKnown: boolean } {
  const near = stats?.largest_families.find(isDrawable) ?? null
  const wanted = stats !== undefined && near === null && (stats.largest_families[0]?.size ?? 0) > 1
  const more = useInfiniteQuery({ ...familiesQuery(), enabled: wanted })
  const far = more.data?.pages.flatMap((page) => page.families).find(isDrawable) ?? null
  return { family: near ?? far, isKnown: stats !== undefined && !(wanted && more.isPending) }
}

function Demo() {
  return (
    <div className="bg-card mt-4 flex flex-wrap items-center gap-x-6 gap-y-3 rounded-xl border p-5 shadow-xs">
      <div className="min-w-0 flex-1 basis-72">
        <h3 className="font-semibold">{words.demo.title}</h3>
        <p className="text-muted-foreground mt-1 text-sm text-pretty">{words.demo.text}</p>
      </div>
      <p className="bg-muted flex items-center gap-2 rounded-lg py-1.5 pr-2 pl-4">
        <code className="font-mono text-sm">{words.demo.command}</code>
        <CopyButton text={words.demo.command} label={words.demo.label} />
      </p>
    </div>
  )
}

function FirstSteps() {
  return (
    <section aria-labelledby="first-steps">
      <h2 id="first-steps" className="text-lg font-semibold">
        {words.steps.title}
      </h2>
      <ol className="mt-4 grid gap-4 md:grid-cols-3">
        {words.steps.list.map((step, index) => (
          <li key={step.title} className="bg-card rounded-xl border p-5 shadow-xs">
            <span className="bg-accent text-accent-foreground grid size-7 place-items-center rounded-full text-sm font-semibold">
              {index + 1}
            </span>
            <h3 className="mt-3 font-semibold">{step.title}</h3>
            <p className="text-muted-foreground mt-1 text-sm text-pretty">{step.text}</p>
          </li>
        ))}
      </ol>
      <Demo />
    </section>
  )
}

function Hero({ stats }: { stats: Stats | undefined }) {
  const empty = stats?.total_models === 0
  const { family, isKnown } = useShownFamily(stats)
  return (
    <section className="grid items-center gap-8 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)] lg:gap-12">
      <div>
        <h1 className="text-4xl leading-[1.1] font-semibold tracking-tight sm:text-5xl">
          {words.question}
        </h1>
        <p className="text-muted-foreground mt-5 max-w-xl text-lg text-pretty">{words.answer}</p>
        <div className="mt-7 flex flex-wrap gap-3">
          <AddModels size="lg">{words.add}</AddModels>
          {!empty && (
            <Button asChild size="lg" variant="outline">
              <Link to={paths.models}>
                {words.browse}
                <ArrowRightIcon aria-hidden />
              </Link>
            </Button>
          )}
        </div>
      </div>
      <Card className="min-h-80 p-5 sm:p-6">{isKnown && <HomeTree family={family} />}</Card>
    </section>
  )
}

export function HomePage() {
  useTitle('')
  const { state } = useLocation() as { state: { tour?: number } | null }
  const stats = useQuery(statsQuery())
  return (
    <div className="space-y-14 sm:space-y-16">
      <Hero stats={stats.data} />
      <Needs least="editor">
        <section aria-label={words.drop}>
          <HomeDropZone />
        </section>
      </Needs>
      {stats.isPending ? (
        <Loading label={words.loading}>
          <Skeleton className="h-28 rounded-xl" />
        </Loading>
      ) : stats.isError && !stats.data ? (
        <ErrorState error={stats.error} onRetry={() => void stats.refetch()} className="py-4" />
      ) : stats.data.total_models === 0 ? (
        <Needs least="editor">
          <FirstSteps />
        </Needs>
      ) : (
        <>
          <section aria-label={words.totals}>
            <Totals stats={stats.data} />
          </section>
          <LatestModels />
        </>
      )}
      <Tour key={state?.tour} />
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { ArrowRightIcon, PlusIcon } from 'lucide-react'
import { Link } from 'react-router'

import { ErrorState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { LatestModels } from '@/features/models/components/latest-models'
import { Totals } from '@/features/statistics/components/totals'
import { HomeTree } from '@/features/tree/components/home-tree'
import { HomeDropZone } from '@/features/upload/components/home-drop-zone'
import { statsQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'
import type { Stats } from '@/lib/types'

const STEPS = [
  {
    title: 'Add a base model',
    text: 'A safetensors, PyTorch, GGUF or NumPy checkpoint, whole or in parts. It is read, never executed.',
  },
  {
    title: 'Add what came from it',
    text: 'A fine-tune, a quantised copy, a merge: the name does not matter.',
  },
  {
    title: 'See the tree',
    text: 'The parent, what was done to it and how sure that is, drawn and explained.',
  },
]

function FirstSteps() {
  return (
    <section aria-labelledby="first-steps">
      <h2 id="first-steps" className="text-lg font-semibold">
        The first three steps
      </h2>
      <ol className="mt-4 grid gap-4 md:grid-cols-3">
        {STEPS.map((step, index) => (
          <li key={step.title} className="bg-card rounded-xl border p-5 shadow-xs">
            <span className="bg-accent text-accent-foreground grid size-7 place-items-center rounded-full text-sm font-semibold">
              {index + 1}
            </span>
            <h3 className="mt-3 font-semibold">{step.title}</h3>
            <p className="text-muted-foreground mt-1 text-sm text-pretty">{step.text}</p>
          </li>
        ))}
      </ol>
      <p className="text-muted-foreground mt-4 text-sm">
        No checkpoint at hand? Run{' '}
        <code className="bg-muted text-foreground rounded px-1.5 py-0.5 font-mono text-[0.8125rem]">
          make demo
        </code>{' '}
        beside this server: it trains a small real family and adds it here.
      </p>
    </section>
  )
}

function Hero({ stats }: { stats: Stats | undefined }) {
  const empty = stats?.total_models === 0
  return (
    <section className="grid items-center gap-8 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)] lg:gap-12">
      <div>
        <h1 className="text-4xl leading-[1.1] font-semibold tracking-tight sm:text-5xl">
          Where does this model come from?
        </h1>
        <p className="text-muted-foreground mt-5 max-w-xl text-lg text-pretty">
          Model Heritage reads the family tree of neural networks from their weights: which came
          from which, what was done on the way, and how sure that is.
        </p>
        <div className="mt-7 flex flex-wrap gap-3">
          <Button asChild size="lg">
            <Link to={paths.add}>
              <PlusIcon aria-hidden />
              Add Model
            </Link>
          </Button>
          {!empty && (
            <Button asChild size="lg" variant="outline">
              <Link to={paths.models}>
                Browse the models
                <ArrowRightIcon aria-hidden />
              </Link>
            </Button>
          )}
        </div>
      </div>
      <Card className="min-h-80 p-5 sm:p-6">
        {stats && <HomeTree family={stats.largest_families[0] ?? null} />}
      </Card>
    </section>
  )
}

export function HomePage() {
  useTitle('')
  const stats = useQuery(statsQuery())
  return (
    <div className="space-y-14 sm:space-y-20">
      <Hero stats={stats.data} />
      <section aria-label="Add checkpoints">
        <HomeDropZone />
      </section>
      {stats.isError && !stats.data ? (
        <ErrorState error={stats.error} onRetry={() => void stats.refetch()} className="py-4" />
      ) : stats.data?.total_models === 0 ? (
        <FirstSteps />
      ) : (
        <>
          {stats.data && (
            <section aria-label="Totals">
              <Totals stats={stats.data} />
            </section>
          )}
          <LatestModels />
        </>
      )}
    </div>
  )
}

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { ThemeProvider } from 'next-themes'
import { createContext, useContext, useState } from 'react'
import {
  createHashRouter,
  Link,
  Navigate,
  NavLink,
  Outlet,
  RouterProvider,
  useParams,
  useSearchParams,
  type RouteObject,
} from 'react-router'

import { RouteError } from '@/app/layout/route-error'
import { ModelFacts } from '@/report/model-facts'
import { readReport, type Report, type ReportData } from '@/report/heritage'
import { Card } from '@/components/ui/card'
import { FamilyTreeView } from '@/features/tree/components/family-tree-view'
import { treeQuery } from '@/hooks/queries'
import { cn } from '@/lib/cn'
import { formatDateTime, formatNumber } from '@/lib/format'
import { paths } from '@/lib/paths'
import { reportWords } from '@/strings/report'

interface Loaded extends Report {
  data: ReportData
}

const ReportContext = createContext<Loaded | null>(null)

function useReport(): Loaded {
  const report = useContext(ReportContext)
  if (!report) throw new Error('There is no report around this.')
  return report
}

const LINK =
  'hover:text-primary font-medium [overflow-wrap:anywhere] underline-offset-4 hover:underline'

function Families() {
  const { families } = useReport()
  if (families.length < 2) return null
  return (
    <nav
      aria-label={reportWords.families}
      className="mb-8 flex max-h-40 flex-wrap gap-2 overflow-y-auto"
    >
      {families.map(({ id, name, size }) => (
        <NavLink
          key={id}
          to={paths.family(id)}
          className={({ isActive }) =>
            cn(
              'rounded-full border px-3 py-1 text-sm [overflow-wrap:anywhere]',
              isActive ? 'bg-accent text-accent-foreground' : 'hover:bg-muted',
            )
          }
        >
          {name} <span className="text-muted-foreground tabular-nums">{formatNumber(size)}</span>
        </NavLink>
      ))}
    </nav>
  )
}

function Unreadable() {
  const { errors } = useReport().data.document
  if (errors.length === 0) return null
  return (
    <section className="mt-10">
      <h2 className="text-lg font-semibold">{reportWords.unreadable(errors.length)}</h2>
      <ul className="mt-3 space-y-2 text-sm">
        {errors.map(({ path, detail }) => (
          <li key={path}>
            <span className="font-medium [overflow-wrap:anywhere]">{path}</span>{' '}
            <span className="text-muted-foreground">{detail}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Alone() {
  const { alone } = useReport()
  if (alone.length === 0) return null
  return (
    <section className="mt-10">
      <h2 className="text-lg font-semibold">{reportWords.alone(alone.length)}</h2>
      <ul className="mt-3 columns-1 gap-8 text-sm sm:columns-2 lg:columns-3">
        {alone.map(({ id, name }) => (
          <li key={id} className="py-0.5">
            <Link to={paths.model(id)} className={LINK}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Frame() {
  const { data, models, families } = useReport()
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-8 pb-20 sm:px-6">
      <header className="mb-6">
        <p className="text-muted-foreground text-sm">
          {reportWords.eyebrow(formatDateTime(data.made_at))}
        </p>
        <h1 className="mt-1 text-2xl font-semibold [overflow-wrap:anywhere] sm:text-3xl">
          {data.title}
        </h1>
        <p className="text-muted-foreground mt-2">
          {reportWords.summary(models.size, families.length)}
        </p>
      </header>
      <Families />
      <main>
        <Outlet />
      </main>
      <Alone />
      <Unreadable />
    </div>
  )
}

function Start() {
  const { families } = useReport()
  const first = families[0]
  if (first) return <Navigate to={paths.family(first.id)} replace />
  return <Card className="text-muted-foreground p-6">{reportWords.unrelated}</Card>
}

function FamilyPage() {
  const { id = '' } = useParams()
  const family = useReport().families.find((each) => each.id === id)
  if (!family) return <Navigate to="/" replace />
  return (
    <>
      <h2 className="mb-4 text-lg font-semibold [overflow-wrap:anywhere]">{family.name}</h2>
      <FamilyTreeView key={id} familyId={id} familyName={family.name} />
    </>
  )
}

function ModelPage() {
  const { id = '' } = useParams()
  const { models, edges } = useReport()
  const model = models.get(id)
  if (!model) return <Navigate to="/" replace />
  return <ModelFacts model={model} models={models} edges={edges} />
}

/** Where the catalogue compares two models tensor by tensor, the page has the edge's evidence. */
function ComparePage() {
  const [query] = useSearchParams()
  return <Navigate to={paths.model(query.get('b') ?? '')} replace />
}

const routes: RouteObject[] = [
  {
    element: <Frame />,
    errorElement: <RouteError />,
    children: [
      { index: true, element: <Start /> },
      { path: 'families/:id', element: <FamilyPage /> },
      { path: 'models/:id', element: <ModelPage /> },
      { path: 'compare', element: <ComparePage /> },
      { path: '*', element: <Start /> },
    ],
  },
]

function makeClient(report: Report): QueryClient {
  const client = new QueryClient({
    defaultOptions: { queries: { staleTime: Infinity, gcTime: Infinity, retry: false } },
  })
  for (const { id, tree } of report.families) {
    client.setQueryData(treeQuery(id).queryKey, tree)
  }
  return client
}

/** The genealogy of a folder, to walk about in, without a server. */
export function ReportPage({ data }: { data: ReportData }) {
  const [report] = useState(() => ({ ...readReport(data), data }))
  const [client] = useState(() => makeClient(report))
  const [router] = useState(() => createHashRouter(routes))
  return (
    <ThemeProvider
      attribute="class"
      defaultTheme="system"
      scriptProps={{ type: 'application/json' }}
    >
      <QueryClientProvider client={client}>
        <ReportContext value={report}>
          <RouterProvider router={router} />
        </ReportContext>
      </QueryClientProvider>
    </ThemeProvider>
  )
}

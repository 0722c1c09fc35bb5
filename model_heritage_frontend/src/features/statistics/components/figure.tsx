import { Suspense, type ReactNode } from 'react'

import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { useNear } from '@/hooks/use-near'
import { cn } from '@/lib/cn'
import { statisticsWords as words } from '@/strings/statistics'

interface FigureProps {
  title: string
  summary?: string
  /** What the columns of the table are called, and its lines. */
  head: string[]
  rows: (string | number)[][]
  className?: string
  children: ReactNode
}

/** A chart with a sentence, and the same figures as a table for those who cannot see it. */
export function Figure({ title, summary, head, rows, className, children }: FigureProps) {
  const [ref, near] = useNear<HTMLDivElement>()
  return (
    <Card className={cn('min-w-0', className)}>
      <CardHeader>
        <CardTitle>{title}</CardTitle>
      </CardHeader>
      <CardContent className="pt-2">
        {summary && <p className="text-muted-foreground mb-4 text-sm text-pretty">{summary}</p>}
        <div ref={ref} aria-hidden className="min-h-[220px]">
          {near && <Suspense fallback={<Skeleton className="h-[220px]" />}>{children}</Suspense>}
        </div>
        <details className="mt-3 text-sm">
          <summary className="text-muted-foreground hover:text-foreground cursor-pointer select-none">
            {words.asTable}
            <span className="sr-only">: {title}</span>
          </summary>
          <div className="mt-2">
            <table className="w-full tabular-nums">
              <thead className="text-muted-foreground text-left">
                <tr>
                  {head.map((name, place) => (
                    <th
                      key={name}
                      scope="col"
                      className={cn('py-1.5 font-medium', place > 0 && 'pl-4 text-right')}
                    >
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody className="divide-y">
                {rows.map((row) => (
                  <tr key={row[0]}>
                    {row.map((cell, place) => (
                      <td
                        key={head[place]}
                        className={cn('py-1.5', place > 0 && 'pl-4 text-right')}
                      >
                        {cell}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      </CardContent>
    </Card>
  )
}

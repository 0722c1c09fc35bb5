import { useQuery, type QueryKey, type UseQueryOptions } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { ErrorState, Loading } from '@/components/states'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'

interface ListCardProps<T, K extends QueryKey> {
  title: string
  text: string
  /** Beside the title. */
  action?: ReactNode
  query: UseQueryOptions<T, Error, T, K>
  /** What is being loaded, in words. */
  loading: string
  /** Between the title and the list. */
  note?: (data: T) => ReactNode
  children: (data: T) => ReactNode
}

function Rows<T, K extends QueryKey>({ query, loading, note, children }: ListCardProps<T, K>) {
  const { data, isError, error, refetch } = useQuery(query)
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-8" />
  if (data === undefined)
    return (
      <Loading label={loading}>
        <Skeleton className="my-3 h-20" />
      </Loading>
    )
  return (
    <>
      {note?.(data)}
      <ul className="divide-y">{children(data)}</ul>
    </>
  )
}

/** A list that the server has, on a card: while it comes, when it does not, and whole. */
export function ListCard<T, K extends QueryKey>(props: ListCardProps<T, K>) {
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{props.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{props.text}</p>
        </div>
        {props.action}
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <Rows {...props} />
      </CardContent>
    </Card>
  )
}

interface ListEntryProps {
  name: string
  badges?: ReactNode
  details: ReactNode
  /** What can be done about it. */
  children?: ReactNode
}

/** One entry: what it is called, more about it, and at the right what can be done. */
export function ListEntry({ name, badges, details, children }: ListEntryProps) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm font-medium">
          <span className="[overflow-wrap:anywhere]">{name}</span>
          {badges}
        </p>
        <div className="text-muted-foreground mt-0.5 text-sm [overflow-wrap:anywhere] tabular-nums">
          {details}
        </div>
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </li>
  )
}

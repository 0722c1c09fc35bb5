import { useQuery } from '@tanstack/react-query'

import { DeletionTold } from '@/components/deletion-told'
import { ErrorState, Loading } from '@/components/states'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { ownersQuery, sessionQuery } from '@/hooks/queries'
import type { Limits, OwnerUsage } from '@/lib/access'
import { formatBytes, formatNumber, plural } from '@/lib/format'
import { accessWords } from '@/strings/access'

import { useDeleteModelsOf } from '../api/mutations'

const words = accessWords.owners

function describeLimits({ models, bytes }: Limits): string {
  const parts = [
    models === null ? null : words.mostModels(formatNumber(models)),
    bytes === null ? null : words.mostBytes(formatBytes(bytes)),
  ].filter((part) => part !== null)
  return parts.length > 0 ? parts.join(', ') : words.noLimit
}

function Row({ owner }: { owner: OwnerUsage }) {
  const removal = useDeleteModelsOf()
  const name = owner.name ?? (owner.id === null ? words.nobody : words.gone(owner.id))
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-48">
        <p className="text-sm font-medium [overflow-wrap:anywhere]">{name}</p>
        <p className="text-muted-foreground mt-0.5 text-sm tabular-nums">
          {plural(owner.models, 'model')}, {formatBytes(owner.bytes)}
        </p>
      </div>
      {owner.id !== null && (
        <ConfirmDialog
          title={words.deleteTitle(name)}
          description={words.deleteText}
          action={words.deleteAction}
          destructive
          onConfirm={() => removal.mutate(owner.id ?? '')}
          trigger={
            <Button
              variant="outline"
              disabled={removal.isPending}
              aria-label={words.deleteWhose(name)}
              className="text-destructive hover:text-destructive"
            >
              {words.delete}
            </Button>
          }
        >
          <DeletionTold of="owners" id={owner.id} />
        </ConfirmDialog>
      )}
    </li>
  )
}

function Rows() {
  const { data, isError, error, refetch } = useQuery(ownersQuery())
  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} className="py-8" />
  if (!data)
    return (
      <Loading label={words.loading}>
        <Skeleton className="my-3 h-16" />
      </Loading>
    )
  return (
    <>
      <p className="text-muted-foreground text-sm">
        {words.limits(describeLimits(data.limits), describeLimits(data.limits_per_owner))}
      </p>
      <ul className="divide-y">
        {data.owners.map((owner) => (
          <Row key={owner.id ?? ''} owner={owner} />
        ))}
      </ul>
    </>
  )
}

/** Who keeps how much; for admins of a server that asks who comes. */
export function OwnerSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open' || session.role !== 'admin') return null
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{words.text}</p>
        </div>
      </CardHeader>
      <CardContent className="pt-2 pb-3">
        <Rows />
      </CardContent>
    </Card>
  )
}

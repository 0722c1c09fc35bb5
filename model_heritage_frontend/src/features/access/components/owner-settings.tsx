import { useQuery } from '@tanstack/react-query'

import { DeletionTold } from '@/components/deletion-told'
import { ListCard, ListEntry } from '@/components/list-card'
import { ConfirmDialog } from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { ownersQuery, sessionQuery } from '@/hooks/queries'
import type { Limits, OwnerUsage } from '@/lib/access'
import { formatBytes, formatNumber } from '@/lib/format'
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

function OwnerEntry({ owner }: { owner: OwnerUsage }) {
  const removal = useDeleteModelsOf()
  const name = owner.name ?? (owner.id === null ? words.nobody : words.gone(owner.id))
  return (
    <ListEntry name={name} details={words.keeps(owner.models, formatBytes(owner.bytes))}>
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
    </ListEntry>
  )
}

/** Who keeps how much; for admins of a server that asks who comes. */
export function OwnerSettings() {
  const { data: session } = useQuery(sessionQuery())
  if (!session || session.access === 'open' || session.role !== 'admin') return null
  return (
    <ListCard
      title={words.title}
      text={words.text}
      query={ownersQuery()}
      loading={words.loading}
      note={(list) => (
        <p className="text-muted-foreground text-sm">
          {words.limits(describeLimits(list.limits), describeLimits(list.limits_per_owner))}
        </p>
      )}
    >
      {({ owners }) => owners.map((owner) => <OwnerEntry key={owner.id ?? ''} owner={owner} />)}
    </ListCard>
  )
}

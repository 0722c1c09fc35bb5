import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'

import { PageHeader } from '@/components/page-header'
import { ErrorState, Loading } from '@/components/states'
import { Button } from '@/components/ui/button'
import { Skeleton } from '@/components/ui/skeleton'
import { DropCorrection, type Dropped } from '@/features/corrections/components/drop-correction'
import { FamilyHistory } from '@/features/corrections/components/family-history'
import { FamilyStatements } from '@/features/corrections/components/family-statements'
import { NameFamilyDialog } from '@/features/corrections/components/name-family-dialog'
import { ParentCorrection } from '@/features/corrections/components/parent-correction'
import { SplitFamilyDialog } from '@/features/corrections/components/split-family-dialog'
import { FamilyActions } from '@/features/families/components/family-actions'
import { FamilyFacts } from '@/features/families/components/family-facts'
import { FamilyTreeView } from '@/features/tree/components/family-tree-view'
import { familyQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'
import { formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Corrected } from '@/lib/statements'
import type { Family, GhostLimit } from '@/lib/types'

const GHOST_LIMITS: Record<GhostLimit, string> = {
  few_models: 'It has too few models for a missing ancestor to be noticed.',
  few_matrices: 'Its models changed too few matrices for a missing ancestor to be noticed.',
  drift: 'Its models drift too much alike for a missing ancestor to be noticed.',
}

function RootSentence({ family }: { family: Family }) {
  if (!family.root_id) return <>Its root is not among the models here.</>
  return (
    <>
      Descends from{' '}
      <Link
        to={paths.model(family.root_id)}
        className="text-foreground hover:text-primary font-medium [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4"
      >
        {family.root_name}
      </Link>
      {family.root_confidence !== null && `, ${formatPercent(family.root_confidence)} sure`}.
    </>
  )
}

export function FamilyPage() {
  const { id = '' } = useParams()
  const family = useQuery(familyQuery(id))
  const navigate = useNavigate()
  // A statement can join this family with another, or leave nothing of it: the reader goes with it.
  const follow = (result: Corrected) => {
    if (!result.families.some((each) => each.id === id)) {
      void navigate(paths.family(result.tree.family_id))
    }
  }
  const [dropped, setDropped] = useState<Dropped | null>(null)
  useTitle(family.data?.name ?? 'Family')
  if (family.isPending) {
    return (
      <Loading label="the family">
        <Skeleton className="h-9 w-72 max-w-full" />
        <Skeleton className="mt-4 h-5 w-80 max-w-full" />
        <Skeleton className="mt-10 h-112 rounded-xl" />
      </Loading>
    )
  }
  if (family.data === undefined) {
    return (
      <>
        <h1 className="sr-only">Family</h1>
        <ErrorState
          error={family.error}
          onRetry={() => void family.refetch()}
          actions={
            <Button asChild variant="outline">
              <Link to={paths.families}>All families</Link>
            </Button>
          }
        />
      </>
    )
  }
  return (
    <>
      <PageHeader
        eyebrow={
          <Link
            to={paths.families}
            className="hover:text-foreground underline-offset-4 hover:underline"
          >
            Families
          </Link>
        }
        title={family.data.name}
        description={
          <>
            <RootSentence family={family.data} />
            {family.data.ghost_limit && ` ${GHOST_LIMITS[family.data.ghost_limit]}`}
          </>
        }
        actions={
          <>
            <FamilyActions familyId={id} />
            <NameFamilyDialog family={family.data} />
            {family.data.size > 1 && <SplitFamilyDialog familyId={id} onSolved={follow} />}
          </>
        }
      />
      <FamilyTreeView
        familyId={id}
        familyName={family.data.name}
        onDropOn={(child, parent) => setDropped({ child, parent })}
        renderMore={({ model, parents, statedBy }) => (
          <ParentCorrection
            model={model}
            parents={parents}
            statedBy={statedBy}
            familyId={id}
            level="h3"
            onSolved={follow}
          />
        )}
      />
      <DropCorrection
        dropped={dropped}
        familyId={id}
        onClose={() => setDropped(null)}
        onSolved={follow}
      />
      <div className="mt-8 space-y-5">
        <FamilyFacts family={family.data} />
        <FamilyStatements familyId={id} onSolved={follow} />
        <FamilyHistory key={id} familyId={id} onSolved={follow} />
      </div>
    </>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'

import { Needs } from '@/components/needs'
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
import { DeleteFamily } from '@/features/families/components/delete-family'
import { FamilyActions } from '@/features/families/components/family-actions'
import { FamilyFacts } from '@/features/families/components/family-facts'
import { FamilyTreeView } from '@/features/tree/components/family-tree-view'
import { familyQuery } from '@/hooks/queries'
import { useMay } from '@/hooks/use-may'
import { useTitle } from '@/hooks/use-title'
import { formatPercent } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Corrected } from '@/lib/statements'
import type { Family, Model } from '@/lib/types'
import { familyWords } from '@/strings/families'

function RootSentence({ family }: { family: Family }) {
  if (!family.root_id) return <>{familyWords.page.noRoot}</>
  return (
    <>
      {familyWords.page.descendsFrom}{' '}
      <Link
        to={paths.model(family.root_id)}
        className="text-foreground hover:text-primary font-medium [overflow-wrap:anywhere] underline decoration-current/30 underline-offset-4"
      >
        {family.root_name}
      </Link>
      {family.root_confidence !== null &&
        familyWords.page.sure(formatPercent(family.root_confidence))}
      .
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
  const may = useMay()
  const [dropped, setDropped] = useState<Dropped | null>(null)
  useTitle(family.data?.name ?? familyWords.page.family)
  if (family.isPending) {
    return (
      <Loading label={familyWords.page.loading}>
        <Skeleton className="h-9 w-72 max-w-full" />
        <Skeleton className="mt-4 h-5 w-80 max-w-full" />
        <Skeleton className="mt-10 h-112 rounded-xl" />
      </Loading>
    )
  }
  if (family.data === undefined) {
    return (
      <>
        <h1 className="sr-only">{familyWords.page.family}</h1>
        <ErrorState
          error={family.error}
          onRetry={() => void family.refetch()}
          actions={
            <Button asChild variant="outline">
              <Link to={paths.families}>{familyWords.page.all}</Link>
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
            {familyWords.page.families}
          </Link>
        }
        title={family.data.name}
        description={
          <>
            <RootSentence family={family.data} />
            {family.data.ghost_limit && ` ${familyWords.page.ghostLimits[family.data.ghost_limit]}`}
          </>
        }
        actions={
          <>
            <FamilyActions familyId={id} />
            <Needs least="editor">
              <NameFamilyDialog family={family.data} />
              {family.data.size > 1 && <SplitFamilyDialog familyId={id} onSolved={follow} />}
            </Needs>
            <Needs least="admin">
              <DeleteFamily family={family.data} />
            </Needs>
          </>
        }
      />
      <FamilyTreeView
        familyId={id}
        familyName={family.data.name}
        {...(may('editor') && {
          onDropOn: (child: Model, parent: Model) => setDropped({ child, parent }),
        })}
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

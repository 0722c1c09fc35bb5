import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'

import { FamilyBadge } from '@/components/family-badge'
import { OriginSentence } from '@/components/origin-sentence'
import { PageHeader } from '@/components/page-header'
import { ErrorState, Loading } from '@/components/states'
import { StatusBadge } from '@/components/status-badge'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Card, CardContent } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { ParentCorrection } from '@/features/corrections/components/parent-correction'
import { ModelActions } from '@/features/models/components/model-actions'
import { ModelChanges } from '@/features/models/components/model-changes'
import { ModelClaims } from '@/features/models/components/model-claims'
import { ModelConsequences } from '@/features/models/components/model-consequences'
import { ModelEvidence } from '@/features/models/components/model-evidence'
import { ModelLineage } from '@/features/models/components/model-lineage'
import { ModelQuality } from '@/features/models/components/model-quality'
import { ModelSpecification } from '@/features/models/components/model-specification'
import { ModelTimeline } from '@/features/models/components/model-timeline'
import { ModelTree } from '@/features/tree/components/model-tree'
import { modelQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'

import { paths } from '@/lib/paths'
import type { ModelDetail } from '@/lib/types'
import { pageWords } from '@/strings/pages'

const words = pageWords.model

function Detail({ model }: { model: ModelDetail }) {
  const familyId = model.family_id
  const inFamily = familyId !== null && (model.family_size ?? 1) > 1
  const { parent, other_parents: others } = model.lineage
  return (
    <>
      <PageHeader
        eyebrow={
          <Link
            to={paths.models}
            className="hover:text-foreground underline-offset-4 hover:underline"
          >
            {words.models}
          </Link>
        }
        title={model.name}
        description={
          <OriginSentence
            model={model}
            evidence={parent?.evidence}
            others={others}
            runnerUp={parent?.runner_up ?? null}
          />
        }
      />
      <div className="-mt-3 mb-8 flex flex-wrap items-center justify-between gap-x-6 gap-y-4">
        <div className="flex min-w-0 flex-wrap items-center gap-2">
          <StatusBadge status={model.status} />
          {model.is_root && inFamily && <Badge variant="outline">{words.root}</Badge>}
          {familyId && model.family_name && (
            <FamilyBadge
              id={familyId}
              name={words.family(model.family_name, model.family_size ?? 1)}
              model={model.id}
            />
          )}
        </div>
        <div className="flex flex-wrap gap-2">
          <ModelActions model={model} />
        </div>
      </div>
      {model.description && (
        <p className="mb-8 max-w-3xl [overflow-wrap:anywhere] whitespace-pre-line">
          {model.description}
        </p>
      )}
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_23rem]">
        <div className="min-w-0 space-y-5">
          <ModelQuality notes={model.quality} />
          {inFamily && <ModelTree familyId={familyId} modelId={model.id} modelName={model.name} />}
          {parent && model.status === 'ok' && (
            <ModelChanges parentId={parent.id} modelId={model.id} />
          )}
          <ModelLineage model={model} />
          {model.status === 'ok' && <ModelConsequences modelId={model.id} />}
        </div>
        <div className="min-w-0 space-y-5">
          <ModelEvidence model={model} />
          {model.status === 'ok' && (
            <Card>
              <CardContent>
                <ParentCorrection
                  model={model}
                  parents={[...(parent ? [parent] : []), ...others]}
                  statedBy={parent?.evidence.stated_by ?? null}
                  familyId={familyId}
                />
              </CardContent>
            </Card>
          )}
          <ModelClaims model={model} />
          <ModelSpecification model={model} />
          <ModelTimeline model={model} />
        </div>
      </div>
    </>
  )
}

function DetailSkeleton() {
  return (
    <Loading label={words.theModel}>
      <Skeleton className="h-4 w-16" />
      <Skeleton className="mt-3 h-9 w-72 max-w-full" />
      <Skeleton className="mt-4 h-5 w-96 max-w-full" />
      <div className="mt-12 grid gap-5 lg:grid-cols-[minmax(0,1fr)_23rem]">
        <Skeleton className="h-112 rounded-xl" />
        <Skeleton className="h-112 rounded-xl" />
      </div>
    </Loading>
  )
}

export function ModelPage() {
  const { id = '' } = useParams()
  const model = useQuery(modelQuery(id))
  useTitle(model.data?.name ?? words.model)
  if (model.isPending) return <DetailSkeleton />
  if (model.data === undefined) {
    return (
      <>
        <h1 className="sr-only">{words.model}</h1>
        <ErrorState
          error={model.error}
          onRetry={() => void model.refetch()}
          actions={
            <Button asChild variant="outline">
              <Link to={paths.models}>{words.allModels}</Link>
            </Button>
          }
        />
      </>
    )
  }
  return <Detail key={id} model={model.data} />
}

import { PageHeader } from '@/components/page-header'
import { ModelCatalogue } from '@/features/models/components/model-catalogue'
import { useTitle } from '@/hooks/use-title'

export function ModelsPage() {
  useTitle('Models')
  return (
    <>
      <PageHeader
        title="Models"
        description="Every checkpoint in the lake, with the parent its weights point to."
      />
      <ModelCatalogue />
    </>
  )
}

import { PageHeader } from '@/components/page-header'
import { ModelCatalogue } from '@/features/models/components/model-catalogue'
import { useTitle } from '@/hooks/use-title'
import { modelsWords as words } from '@/strings/models'

export function ModelsPage() {
  useTitle(words.title)
  return (
    <>
      <PageHeader title={words.title} description={words.description} />
      <ModelCatalogue />
    </>
  )
}

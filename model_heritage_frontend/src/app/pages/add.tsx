import { PageHeader } from '@/components/page-header'
import { UploadForm } from '@/features/upload/components/upload-form'
import { useTitle } from '@/hooks/use-title'
import { pageWords } from '@/strings/pages'

const words = pageWords.add

export function AddPage() {
  useTitle(words.addModel)
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader title={words.addModel} description={words.dropOneCheckpointOr} />
      <UploadForm />
    </div>
  )
}

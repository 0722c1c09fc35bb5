import { PageHeader } from '@/components/page-header'
import { UploadForm } from '@/features/upload/components/upload-form'
import { useMay } from '@/hooks/use-may'
import { useTitle } from '@/hooks/use-title'
import { accessWords } from '@/strings/access'
import { pageWords } from '@/strings/pages'

const words = pageWords.add

export function AddPage() {
  const may = useMay()
  useTitle(words.addModel)
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader title={words.addModel} description={words.dropOneCheckpointOr} />
      {may('editor') ? <UploadForm /> : <p>{accessWords.noUploads}</p>}
    </div>
  )
}

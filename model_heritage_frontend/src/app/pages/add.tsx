import { PageHeader } from '@/components/page-header'
import { UploadForm } from '@/features/upload/components/upload-form'
import { useTitle } from '@/hooks/use-title'

export function AddPage() {
  useTitle('Add Model')
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        title="Add Model"
        description="Drop one checkpoint or a whole folder. Each is read, never executed, and its parent is found from the weights alone."
      />
      <UploadForm />
    </div>
  )
}

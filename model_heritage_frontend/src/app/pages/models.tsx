import { PlusIcon } from 'lucide-react'
import { Link } from 'react-router'

import { PageHeader } from '@/components/page-header'
import { Button } from '@/components/ui/button'
import { ModelCatalogue } from '@/features/models/components/model-catalogue'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'

export function ModelsPage() {
  useTitle('Models')
  return (
    <>
      <PageHeader
        title="Models"
        description="Every checkpoint in the lake, with the parent its weights point to."
        actions={
          <Button asChild variant="outline">
            <Link to={paths.add}>
              <PlusIcon aria-hidden />
              Add Model
            </Link>
          </Button>
        }
      />
      <ModelCatalogue />
    </>
  )
}

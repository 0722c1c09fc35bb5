import { CompassIcon } from 'lucide-react'
import { Link } from 'react-router'

import { EmptyState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'

export function NotFoundPage() {
  useTitle('Not found')
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={CompassIcon}
        title="There is no such page"
        className="py-28"
        actions={
          <>
            <Button asChild>
              <Link to={paths.models}>Browse the models</Link>
            </Button>
            <Button asChild variant="outline">
              <Link to={paths.home}>Start page</Link>
            </Button>
          </>
        }
      >
        The address may be mistyped, or the model it named has been deleted.
      </EmptyState>
    </>
  )
}

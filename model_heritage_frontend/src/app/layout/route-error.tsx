import { Link, useRouteError } from 'react-router'

import { ErrorState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { paths } from '@/lib/paths'
import { shellWords } from '@/strings/shell'

/** A page that broke or whose code could not be loaded; the frame around it stays. */
export function RouteError() {
  const error = useRouteError()
  return (
    <ErrorState
      error={error}
      onRetry={() => window.location.reload()}
      actions={
        <Button asChild variant="ghost">
          <Link to={paths.home} reloadDocument>
            {shellWords.errors.home}
          </Link>
        </Button>
      }
    />
  )
}

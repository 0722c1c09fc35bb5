import { CompassIcon } from 'lucide-react'
import { Link } from 'react-router'

import { EmptyState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'
import { shellWords } from '@/strings/shell'

const words = shellWords.notFound

export function NotFoundPage() {
  useTitle(words.title)
  return (
    <>
      <h1 className="sr-only">{words.title}</h1>
      <EmptyState
        icon={CompassIcon}
        title={words.heading}
        className="py-28"
        actions={
          <>
            <Button asChild>
              <Link to={paths.models}>{words.browse}</Link>
            </Button>
            <Button asChild variant="outline">
              <Link to={paths.home}>{words.home}</Link>
            </Button>
          </>
        }
      >
        {words.text}
      </EmptyState>
    </>
  )
}

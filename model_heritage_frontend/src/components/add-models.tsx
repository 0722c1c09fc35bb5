import { PlusIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { Needs } from '@/components/needs'
import { Button } from '@/components/ui/button'
import { paths } from '@/lib/paths'

interface AddModelsProps {
  children: ReactNode
  size?: 'lg'
  className?: string
}

/** The way to add models, for whoever may. */
export function AddModels({ children, ...look }: AddModelsProps) {
  return (
    <Needs least="editor">
      <Button asChild {...look}>
        <Link to={paths.add}>
          <PlusIcon aria-hidden />
          {children}
        </Link>
      </Button>
    </Needs>
  )
}

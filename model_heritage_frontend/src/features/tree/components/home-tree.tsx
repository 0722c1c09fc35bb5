import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'

import { Loading } from '@/components/states'
import { Badge } from '@/components/ui/badge'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'
import { plural } from '@/lib/format'
import { paths } from '@/lib/paths'
import type { Family } from '@/lib/types'

import { EXAMPLE_TREE } from '../example'
import { TreePicture } from './tree-picture'

function Example() {
  return (
    <>
      <div className="mb-4 flex items-center justify-between gap-3">
        <p className="text-sm font-medium">What you will see</p>
        <Badge variant="muted">Example</Badge>
      </div>
      <TreePicture
        tree={EXAMPLE_TREE}
        label="An example of a family tree: one base model with its fine-tunes, an adapter, a merge and a quantised copy"
      />
    </>
  )
}

function Largest({ family }: { family: Family }) {
  const tree = useQuery(treeQuery(family.id))
  if (tree.isPending) {
    return (
      <Loading label="the largest family">
        <Skeleton className="h-72" />
      </Loading>
    )
  }
  if (tree.isError) return <Example />
  return (
    <>
      <div className="mb-4 flex items-center justify-between gap-3">
        <Link
          to={paths.family(family.id)}
          className="hover:text-primary min-w-0 truncate text-sm font-medium underline-offset-4 hover:underline"
        >
          {family.name}
        </Link>
        <Badge variant="muted">{plural(family.size, 'model')}</Badge>
      </div>
      <Link to={paths.family(family.id)} className="block rounded-md">
        <TreePicture
          tree={tree.data}
          label={`The family tree of ${family.name}, ${plural(family.size, 'model')}`}
        />
      </Link>
    </>
  )
}

/** The largest real family, drawn small; an example where there is none yet. */
export function HomeTree({ family }: { family: Family | null }) {
  return family && family.size > 1 ? <Largest family={family} /> : <Example />
}

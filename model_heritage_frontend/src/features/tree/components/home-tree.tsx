import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'

import { Loading } from '@/components/states'
import { Badge } from '@/components/ui/badge'
import { Skeleton } from '@/components/ui/skeleton'
import { treeQuery } from '@/hooks/queries'

import { paths } from '@/lib/paths'
import type { Family } from '@/lib/types'
import { treeWords } from '@/strings/tree'

import { EXAMPLE_TREE } from '../example'
import { TreePicture } from './tree-picture'

function Example() {
  return (
    <>
      <div className="mb-4 flex items-center justify-between gap-3">
        <p className="text-sm font-medium">{treeWords.example.heading}</p>
        <Badge variant="muted">{treeWords.example.badge}</Badge>
      </div>
      <TreePicture tree={EXAMPLE_TREE} label={treeWords.example.label} />
    </>
  )
}

function Largest({ family }: { family: Family }) {
  const tree = useQuery(treeQuery(family.id))
  if (tree.isPending) {
    return (
      <Loading label={treeWords.loadingLargest}>
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
        <Badge variant="muted">{treeWords.size(family.size)}</Badge>
      </div>
      <Link to={paths.family(family.id)} className="block rounded-md">
        <TreePicture tree={tree.data} label={treeWords.familyTreeOf(family.name, family.size)} />
      </Link>
    </>
  )
}

/** The largest real family, drawn small; an example where there is none yet. */
export function HomeTree({ family }: { family: Family | null }) {
  return family && family.size > 1 ? <Largest family={family} /> : <Example />
}

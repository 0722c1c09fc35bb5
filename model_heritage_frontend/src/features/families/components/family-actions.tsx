import { DownloadIcon, LayoutGridIcon, RotateCwIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Button } from '@/components/ui/button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '@/components/ui/dropdown-menu'
import { EXPORT_FORMATS, exportUrl } from '@/lib/api'
import { paths } from '@/lib/paths'

import { useRebuildFamily } from '../api/mutations'

const FORMAT_LABELS = {
  json: 'JSON',
  csv: 'CSV table',
  graphml: 'GraphML',
  gexf: 'GEXF',
  dot: 'Graphviz DOT',
  newick: 'Newick tree',
  cyclonedx: 'CycloneDX ML-BOM',
  cypher: 'Cypher script',
} as const

export function FamilyActions({ familyId }: { familyId: string }) {
  const rebuild = useRebuildFamily(familyId)
  return (
    <>
      <Button asChild variant="outline">
        <Link to={paths.modelsOfFamily(familyId)}>
          <LayoutGridIcon aria-hidden />
          Its models
        </Link>
      </Button>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button variant="outline">
            <DownloadIcon aria-hidden />
            Export
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent>
          {EXPORT_FORMATS.map((format) => (
            <DropdownMenuItem key={format} asChild>
              <a href={exportUrl(format, familyId)} download>
                {FORMAT_LABELS[format]}
              </a>
            </DropdownMenuItem>
          ))}
        </DropdownMenuContent>
      </DropdownMenu>
      <Button variant="outline" disabled={rebuild.isPending} onClick={() => rebuild.mutate()}>
        <RotateCwIcon aria-hidden className={rebuild.isPending ? 'animate-spin' : undefined} />
        {rebuild.isPending ? 'Solving…' : 'Solve again'}
      </Button>
    </>
  )
}

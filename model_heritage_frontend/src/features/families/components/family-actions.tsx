import { DownloadIcon, LayoutGridIcon, RotateCwIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Needs } from '@/components/needs'
import { Button } from '@/components/ui/button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '@/components/ui/dropdown-menu'
import { EXPORT_FORMATS, exportUrl } from '@/lib/api'
import { paths } from '@/lib/paths'
import { familyWords } from '@/strings/families'

import { useRebuildFamily } from '../api/mutations'

export function FamilyActions({ familyId }: { familyId: string }) {
  const rebuild = useRebuildFamily(familyId)
  return (
    <>
      <Button asChild variant="outline">
        <Link to={paths.modelsOfFamily(familyId)}>
          <LayoutGridIcon aria-hidden />
          {familyWords.actions.models}
        </Link>
      </Button>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button variant="outline">
            <DownloadIcon aria-hidden />
            {familyWords.actions.export}
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent>
          {EXPORT_FORMATS.map((format) => (
            <DropdownMenuItem key={format} asChild>
              <a href={exportUrl(format, familyId)} download>
                {familyWords.actions.formats[format]}
              </a>
            </DropdownMenuItem>
          ))}
        </DropdownMenuContent>
      </DropdownMenu>
      <Needs least="editor">
        <Button variant="outline" disabled={rebuild.isPending} onClick={() => rebuild.mutate()}>
          <RotateCwIcon aria-hidden className={rebuild.isPending ? 'animate-spin' : undefined} />
          {rebuild.isPending ? familyWords.actions.solving : familyWords.actions.solve}
        </Button>
      </Needs>
    </>
  )
}

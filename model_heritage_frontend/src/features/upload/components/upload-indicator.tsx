import { LoaderCircleIcon } from 'lucide-react'
import { Link } from 'react-router'

import { paths } from '@/lib/paths'

import { uploadWords } from '@/strings/upload'

import { isPending } from '../queue'
import { useUploads } from '../upload-context'

const words = uploadWords.uploadIndicator

/** In the navigation bar while uploads run, so that one may leave the page without losing sight. */
export function UploadIndicator() {
  const { items } = useUploads()
  const pending = items.filter(isPending).length
  if (pending === 0) return null
  return (
    <Link
      to={paths.add}
      className="text-muted-foreground hover:text-foreground animate-fade flex items-center gap-2 text-sm"
    >
      <LoaderCircleIcon aria-hidden className="text-primary size-4 animate-spin" />
      <span className="max-sm:sr-only">{words.running(pending)}</span>
    </Link>
  )
}

import { CopyCheckIcon, PencilIcon, RotateCwIcon, TriangleAlertIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Button } from '@/components/ui/button'
import { paths } from '@/lib/paths'
import type { ApiError } from '@/lib/problem'
import { uploadWords } from '@/strings/upload'

const words = uploadWords.uploadFailure

interface UploadFailureProps {
  error: ApiError
  onRetry: () => void
  /** Back to what was said of the model. */
  onEdit: () => void
}

/** Nothing went wrong: the same bytes are a model already. */
function AlreadyHere({ error, id }: { error: ApiError; id: string }) {
  return (
    <div role="status" className="bg-muted/60 rounded-lg border p-4 text-sm">
      <p className="flex items-center gap-2 font-medium">
        <CopyCheckIcon aria-hidden className="size-4 shrink-0" />
        {words.alreadyHere}
      </p>
      <p className="mt-1 [overflow-wrap:anywhere]">{error.message}</p>
      <Button asChild size="sm" variant="outline" className="mt-3">
        <Link to={paths.model(id)}>{words.openTheModelThat}</Link>
      </Button>
    </div>
  )
}

/** Why an upload came to nothing, in the server's words, and the way on. */
export function UploadFailure({ error, onRetry, onEdit }: UploadFailureProps) {
  if (error.existingId !== null) return <AlreadyHere error={error} id={error.existingId} />
  return (
    <div
      role="alert"
      className="border-destructive/30 bg-destructive/5 rounded-lg border p-4 text-sm"
    >
      <p className="text-destructive flex items-center gap-2 font-medium">
        <TriangleAlertIcon aria-hidden className="size-4 shrink-0" />
        {error.title}
      </p>
      <p className="mt-1 [overflow-wrap:anywhere]">{error.message}</p>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {error.status === 400 ? (
          <Button size="sm" variant="outline" onClick={onEdit}>
            <PencilIcon aria-hidden />
            {words.changeWhatIsSaid}
          </Button>
        ) : (
          <Button size="sm" variant="outline" onClick={onRetry}>
            <RotateCwIcon aria-hidden />
            {words.tryAgain}
          </Button>
        )}
        {error.requestId && (
          <span className="text-muted-foreground font-mono text-xs">
            {words.request} {error.requestId}
          </span>
        )}
      </div>
    </div>
  )
}

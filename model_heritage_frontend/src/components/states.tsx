import { CloudOffIcon, RotateCwIcon, SearchXIcon, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

import { Button } from '@/components/ui/button'
import { cn } from '@/lib/cn'
import { ApiError, describeError, isNotFound } from '@/lib/problem'
import { commonWords } from '@/strings/common'

const words = commonWords.states

interface MessageProps {
  icon: LucideIcon
  title: string
  children?: ReactNode
  actions?: ReactNode
  className?: string
}

function Message({ icon: Icon, title, children, actions, className }: MessageProps) {
  return (
    <div
      className={cn(
        'animate-rise mx-auto flex max-w-md flex-col items-center px-4 py-16 text-center',
        className,
      )}
    >
      <span className="bg-muted text-muted-foreground mb-4 grid size-12 place-items-center rounded-xl">
        <Icon className="size-5" aria-hidden />
      </span>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && (
        <div className="text-muted-foreground mt-1.5 text-sm text-pretty">{children}</div>
      )}
      {actions && <div className="mt-5 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  )
}

export function EmptyState(props: MessageProps) {
  return <Message {...props} />
}

interface ErrorStateProps {
  error: unknown
  onRetry?: () => void
  actions?: ReactNode
  className?: string
}

/** The server's own words, the request's id for whoever looks into it, and a way on. */
export function ErrorState({ error, onRetry, actions, className }: ErrorStateProps) {
  const known = error instanceof ApiError
  return (
    <div role="alert">
      <Message
        icon={isNotFound(error) ? SearchXIcon : CloudOffIcon}
        title={known ? error.title : commonWords.errors.wrong}
        className={className}
        actions={
          <>
            {onRetry && !isNotFound(error) && (
              <Button variant="outline" onClick={onRetry}>
                <RotateCwIcon aria-hidden />
                {words.tryAgain}
              </Button>
            )}
            {actions}
          </>
        }
      >
        <p>{describeError(error)}</p>
        {known && error.requestId && (
          <p className="mt-2 font-mono text-xs">
            {words.request} {error.requestId}
          </p>
        )}
      </Message>
    </div>
  )
}

/** Wraps skeletons: says once, to those who cannot see them, that something is loading. */
export function Loading({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="status" aria-busy="true">
      <span className="sr-only">
        {words.loading} {label}…
      </span>
      {children}
    </div>
  )
}

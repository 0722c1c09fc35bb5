import type { ReactNode } from 'react'

interface PageHeaderProps {
  title: ReactNode
  /** A small line above the title, such as the way back. */
  eyebrow?: ReactNode
  description?: ReactNode
  actions?: ReactNode
}

export function PageHeader({ title, eyebrow, description, actions }: PageHeaderProps) {
  return (
    <header className="mb-8 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div className="max-w-3xl min-w-0">
        {eyebrow && <div className="text-muted-foreground mb-2 text-sm">{eyebrow}</div>}
        <h1 className="text-2xl font-semibold [overflow-wrap:anywhere] sm:text-3xl">{title}</h1>
        {description && (
          <div className="text-muted-foreground mt-2 text-base text-pretty">{description}</div>
        )}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  )
}

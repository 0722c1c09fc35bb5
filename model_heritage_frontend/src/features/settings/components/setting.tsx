import type { ReactNode } from 'react'

interface SettingProps {
  title: string
  text?: string
  children: ReactNode
}

/** One thing that can be chosen, its words at the left where there is room. */
export function Setting({ title, text, children }: SettingProps) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-8 gap-y-3 py-4">
      <div className="min-w-0 flex-1 basis-60">
        <p className="text-sm font-medium">{title}</p>
        {text && <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{text}</p>}
      </div>
      {children}
    </div>
  )
}

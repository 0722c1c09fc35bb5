import type { ReactNode } from 'react'

interface StatTileProps {
  label: string
  value: ReactNode
  note?: ReactNode
}

/** One figure. To be used inside a <dl>. */
export function StatTile({ label, value, note }: StatTileProps) {
  return (
    <div className="bg-card rounded-xl border px-5 py-4 shadow-xs">
      <dt className="text-muted-foreground text-sm">{label}</dt>
      <dd className="mt-1 text-2xl font-semibold tracking-tight tabular-nums">{value}</dd>
      {note && <dd className="text-muted-foreground mt-0.5 text-xs">{note}</dd>}
    </div>
  )
}

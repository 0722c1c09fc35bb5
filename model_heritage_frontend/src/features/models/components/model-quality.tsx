import { TriangleAlertIcon } from 'lucide-react'

import { describeQuality } from '@/lib/evidence'
import { modelParts } from '@/strings/models'

const words = modelParts.modelQuality

/** What is odd about the weights themselves: dead neurons, infinities and the like. */
export function ModelQuality({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null
  return (
    <section
      aria-label={words.notesOnTheWeights}
      className="border-warning/30 bg-warning/5 rounded-xl border p-5"
    >
      <h2 className="text-warning flex items-center gap-2 text-sm font-medium">
        <TriangleAlertIcon aria-hidden className="size-4" />
        {words.notesOnTheWeights}
      </h2>
      <ul className="mt-2 space-y-1 text-sm">
        {notes.map((note) => (
          <li key={note}>{describeQuality(note)}</li>
        ))}
      </ul>
    </section>
  )
}

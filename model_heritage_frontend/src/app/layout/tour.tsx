import { XIcon } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'

import { endTour, isTourOver } from '@/app/tour-state'
import { Button } from '@/components/ui/button'
import { useMay } from '@/hooks/use-may'
import { shellWords } from '@/strings/shell'

const words = shellWords.tour

/** What a newcomer should know, beside the page and never over it all; once closed, it stays so. */
export function Tour() {
  const [over, setOver] = useState(isTourOver)
  const [place, setPlace] = useState(0)
  const may = useMay()
  const steps = words.steps.filter(({ least }) => may(least))
  const step = steps[place]
  if (over || !step) return null
  const last = place === steps.length - 1
  const end = () => {
    endTour()
    setOver(true)
  }
  return (
    <section
      aria-label={words.label}
      className="bg-popover text-popover-foreground animate-rise fixed inset-x-3 bottom-3 z-30 rounded-xl border p-5 shadow-xl sm:right-5 sm:bottom-5 sm:left-auto sm:w-88"
    >
      <div className="flex items-start justify-between gap-3">
        <h2 className="font-semibold">{step.title}</h2>
        <Button
          variant="ghost"
          size="icon"
          className="-mt-1.5 -mr-2 size-8"
          aria-label={words.dismiss}
          title={words.dismiss}
          onClick={end}
        >
          <XIcon aria-hidden />
        </Button>
      </div>
      <p className="text-muted-foreground mt-1 text-sm text-pretty" aria-live="polite">
        {step.text}
      </p>
      {step.link && (
        <Link
          to={step.link.to}
          className="text-primary mt-2 inline-block text-sm font-medium underline-offset-4 hover:underline"
        >
          {step.link.words}
        </Link>
      )}
      <div className="mt-4 flex items-center gap-2">
        <p className="text-muted-foreground mr-auto text-sm tabular-nums">
          {words.step(place + 1, steps.length)}
        </p>
        {place > 0 && (
          <Button size="sm" variant="ghost" onClick={() => setPlace(place - 1)}>
            {words.back}
          </Button>
        )}
        <Button size="sm" onClick={() => (last ? end() : setPlace(place + 1))}>
          {last ? words.done : words.next}
        </Button>
      </div>
    </section>
  )
}

import { Fragment } from 'react'
import { useNavigate } from 'react-router'

import { restartTour } from '@/app/tour-state'
import { Button } from '@/components/ui/button'
import { Dialog, DialogContent, DialogDescription, DialogTitle } from '@/components/ui/dialog'
import { paths } from '@/lib/paths'
import { shellWords } from '@/strings/shell'

const words = shellWords.help

function Keys({ keys }: { keys: readonly string[] }) {
  return (
    <span className="flex items-center gap-1.5">
      {keys.map((key, place) => (
        <Fragment key={key}>
          {place > 0 && <span className="text-muted-foreground text-xs">{words.then}</span>}
          <kbd className="bg-muted grid h-6 min-w-6 place-items-center rounded-md border px-1.5 font-mono text-xs">
            {key}
          </kbd>
        </Fragment>
      ))}
    </span>
  )
}

interface HelpDialogProps {
  open: boolean
  onOpenChange: (open: boolean) => void
}

/** The shortcuts, and the way to the tour. */
export function HelpDialog({ open, onOpenChange }: HelpDialogProps) {
  const navigate = useNavigate()
  const showTour = () => {
    restartTour()
    onOpenChange(false)
    // Another entry of the history, so that the start page begins anew where it is open already.
    void navigate(paths.home, { state: { tour: Date.now() } })
  }
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent className="max-w-2xl">
        <DialogTitle>{words.title}</DialogTitle>
        <DialogDescription>{words.text}</DialogDescription>
        <div className="mt-5 grid gap-6 sm:grid-cols-2">
          {words.groups.map((group) => (
            <section key={group.title}>
              <h3 className="text-sm font-semibold">{group.title}</h3>
              <dl className="mt-2 space-y-1.5 text-sm">
                {group.keys.map(({ keys, does }) => (
                  <div key={does} className="flex items-center justify-between gap-4">
                    <dt>{does}</dt>
                    <dd>
                      <Keys keys={keys} />
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <p className="text-muted-foreground mt-5 text-sm">{words.drop}</p>
        <div className="mt-5 flex flex-wrap gap-2">
          <Button variant="outline" onClick={showTour}>
            {words.tour}
          </Button>
          <Button asChild variant="ghost">
            <a href="/api/docs">{words.api}</a>
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  )
}

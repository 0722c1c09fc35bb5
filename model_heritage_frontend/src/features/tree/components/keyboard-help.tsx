import { Dialog, DialogContent, DialogDescription, DialogTitle } from '@/components/ui/dialog'

const KEYS: [keys: string[], what: string][] = [
  [['←'], 'The parent'],
  [['→'], 'A child'],
  [['↑', '↓'], 'Neighbours of the same generation'],
  [['Home'], 'The root'],
  [['Enter'], 'Opens the model’s page'],
  [['Space'], 'Folds its descendants away, or shows them'],
  [['s'], 'Only this model and its descendants'],
  [['/'], 'Finds a member by name'],
  [['f'], 'Fits the tree'],
  [['+', '−'], 'Zooms'],
  [['Esc'], 'Chooses nothing'],
  [['?'], 'Shows these keys'],
]

interface KeyboardHelpProps {
  open: boolean
  onOpenChange: (open: boolean) => void
}

export function KeyboardHelp({ open, onOpenChange }: KeyboardHelpProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent>
        <DialogTitle>Keys in the tree</DialogTitle>
        <DialogDescription>They work once the tree has the keyboard’s focus.</DialogDescription>
        <dl className="mt-4 grid grid-cols-[auto_1fr] items-center gap-x-5 gap-y-2 text-sm">
          {KEYS.map(([keys, what]) => (
            <div key={what} className="contents">
              <dt className="flex gap-1.5">
                {keys.map((key) => (
                  <kbd
                    key={key}
                    className="bg-muted min-w-7 rounded-sm border px-1.5 py-0.5 text-center font-mono text-xs"
                  >
                    {key}
                  </kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <p className="text-muted-foreground mt-4 text-sm text-pretty">
          With a mouse, a model can also be dragged onto its parent, which states that the one
          descends from the other.
        </p>
      </DialogContent>
    </Dialog>
  )
}

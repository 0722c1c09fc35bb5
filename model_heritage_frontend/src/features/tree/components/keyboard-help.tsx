import { Dialog, DialogContent, DialogDescription, DialogTitle } from '@/components/ui/dialog'
import { treeWords } from '@/strings/tree'

interface KeyboardHelpProps {
  open: boolean
  onOpenChange: (open: boolean) => void
}

export function KeyboardHelp({ open, onOpenChange }: KeyboardHelpProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent>
        <DialogTitle>{treeWords.keys.title}</DialogTitle>
        <DialogDescription>{treeWords.keys.text}</DialogDescription>
        <dl className="mt-4 grid grid-cols-[auto_1fr] items-center gap-x-5 gap-y-2 text-sm">
          {treeWords.keys.list.map(({ keys, does }) => (
            <div key={does} className="contents">
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
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <p className="text-muted-foreground mt-4 text-sm text-pretty">{treeWords.keys.drag}</p>
      </DialogContent>
    </Dialog>
  )
}

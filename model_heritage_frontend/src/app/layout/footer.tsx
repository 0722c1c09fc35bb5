import { FRAME } from '@/app/layout/frame'
import { cn } from '@/lib/cn'
import { shellWords } from '@/strings/shell'

const words = shellWords.footer
const link = 'hover:text-foreground underline-offset-4 hover:underline'

export function Footer({ onHelp }: { onHelp: () => void }) {
  return (
    <footer className="border-t">
      <div
        className={cn(
          FRAME,
          'text-muted-foreground flex flex-wrap justify-between gap-x-6 gap-y-2 py-6 text-sm',
        )}
      >
        <p>{words.text}</p>
        <p className="flex flex-wrap gap-x-6 gap-y-2">
          <button type="button" className={link} onClick={onHelp}>
            {words.help}
          </button>
          <a className={link} href="/api/docs">
            {words.api}
          </a>
        </p>
      </div>
    </footer>
  )
}

import { CircleHelpIcon, DatabaseIcon, MenuIcon, PlusIcon, SettingsIcon } from 'lucide-react'
import { useState } from 'react'
import { Link, NavLink } from 'react-router'

import { FRAME } from '@/app/layout/frame'
import { ThemeMenu } from '@/app/layout/theme-menu'
import { AddModels } from '@/components/add-models'
import { Needs } from '@/components/needs'
import { Button } from '@/components/ui/button'
import { Dialog, DialogContent, DialogTitle, DialogTrigger } from '@/components/ui/dialog'
import { AccountMenu } from '@/features/access/components/account-menu'
import { UploadIndicator } from '@/features/upload/components/upload-indicator'
import { useMay } from '@/hooks/use-may'
import { cn } from '@/lib/cn'
import { paths } from '@/lib/paths'
import { shellWords } from '@/strings/shell'

const words = shellWords.nav

const LINKS = [
  { to: paths.models, label: words.models },
  { to: paths.families, label: words.families },
  { to: paths.compare(), label: words.compare },
  { to: paths.statistics, label: words.statistics },
  { to: paths.jobs, label: words.jobs },
]

function Brand() {
  return (
    <Link
      to={paths.home}
      className="flex items-center gap-2.5 rounded-md font-semibold tracking-tight"
    >
      <span className="bg-primary text-primary-foreground grid size-8 place-items-center rounded-lg">
        <DatabaseIcon aria-hidden className="size-4.5" />
      </span>
      {shellWords.name}
    </Link>
  )
}

function MobileMenu() {
  const may = useMay()
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="ghost" size="icon" className="md:hidden" aria-label={words.menu}>
          <MenuIcon aria-hidden />
        </Button>
      </DialogTrigger>
      <DialogContent side="sheet" aria-describedby={undefined}>
        <DialogTitle>{words.menu}</DialogTitle>
        <nav aria-label={words.label} className="mt-5 flex flex-col gap-1">
          {[
            ...LINKS,
            { to: paths.settings, label: words.settings },
            ...(may('editor') ? [{ to: paths.add, label: words.add }] : []),
          ].map(({ to, label }) => (
            <NavLink
              key={to}
              to={to}
              onClick={() => setOpen(false)}
              className={({ isActive }) =>
                cn(
                  'rounded-md px-3 py-2.5 font-medium',
                  isActive ? 'bg-accent text-accent-foreground' : 'hover:bg-muted',
                )
              }
            >
              {label}
            </NavLink>
          ))}
        </nav>
      </DialogContent>
    </Dialog>
  )
}

export function Navbar({ onHelp }: { onHelp: () => void }) {
  return (
    <header className="bg-background/85 sticky top-0 z-40 border-b backdrop-blur-md">
      <div className={cn(FRAME, 'flex h-16 items-center gap-2')}>
        <Brand />
        <nav aria-label={words.label} className="ml-6 hidden items-center gap-1 md:flex">
          {LINKS.map(({ to, label }) => (
            <NavLink
              key={to}
              to={to}
              className={({ isActive }) =>
                cn(
                  'rounded-md px-3 py-1.5 text-sm font-medium transition-colors',
                  isActive
                    ? 'bg-muted text-foreground'
                    : 'text-muted-foreground hover:text-foreground',
                )
              }
            >
              {label}
            </NavLink>
          ))}
        </nav>
        <div className="ml-auto flex items-center gap-1 sm:gap-1.5">
          <UploadIndicator />
          <Button
            variant="ghost"
            size="icon"
            className="max-sm:hidden"
            aria-label={words.help}
            title={words.help}
            onClick={onHelp}
          >
            <CircleHelpIcon aria-hidden />
          </Button>
          <Button asChild variant="ghost" size="icon" className="max-md:hidden">
            <Link to={paths.settings} aria-label={words.settings} title={words.settings}>
              <SettingsIcon aria-hidden />
            </Link>
          </Button>
          <ThemeMenu />
          <AccountMenu />
          <AddModels className="ml-1.5 max-sm:hidden">{words.add}</AddModels>
          <Needs least="editor">
            <Button asChild size="icon" className="sm:hidden">
              <Link to={paths.add} aria-label={words.add}>
                <PlusIcon aria-hidden />
              </Link>
            </Button>
          </Needs>
          <MobileMenu />
        </div>
      </div>
    </header>
  )
}

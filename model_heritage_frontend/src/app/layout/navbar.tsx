import { DatabaseIcon, MenuIcon, PlusIcon } from 'lucide-react'
import { useState } from 'react'
import { Link, NavLink } from 'react-router'

import { ThemeMenu } from '@/app/layout/theme-menu'
import { Button } from '@/components/ui/button'
import { Dialog, DialogContent, DialogTitle, DialogTrigger } from '@/components/ui/dialog'
import { UploadIndicator } from '@/features/upload/components/upload-indicator'
import { cn } from '@/lib/cn'
import { paths } from '@/lib/paths'

const LINKS = [
  { to: paths.models, label: 'Models' },
  { to: paths.families, label: 'Families' },
  { to: paths.compare(), label: 'Compare' },
  { to: paths.statistics, label: 'Statistics' },
  { to: paths.jobs, label: 'Jobs' },
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
      Model Heritage
    </Link>
  )
}

function MobileMenu() {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="ghost" size="icon" className="md:hidden" aria-label="Menu">
          <MenuIcon aria-hidden />
        </Button>
      </DialogTrigger>
      <DialogContent side="sheet" aria-describedby={undefined}>
        <DialogTitle>Menu</DialogTitle>
        <nav aria-label="Main" className="mt-5 flex flex-col gap-1">
          {[...LINKS, { to: paths.add, label: 'Add Model' }].map(({ to, label }) => (
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

export function Navbar() {
  return (
    <header className="bg-background/85 sticky top-0 z-40 border-b backdrop-blur-md">
      <div className="mx-auto flex h-16 max-w-6xl items-center gap-2 px-4 sm:px-6">
        <Brand />
        <nav aria-label="Main" className="ml-6 hidden items-center gap-1 md:flex">
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
        <div className="ml-auto flex items-center gap-1.5 sm:gap-3">
          <UploadIndicator />
          <ThemeMenu />
          <Button asChild className="max-sm:hidden">
            <Link to={paths.add}>
              <PlusIcon aria-hidden />
              Add Model
            </Link>
          </Button>
          <Button asChild size="icon" className="sm:hidden">
            <Link to={paths.add} aria-label="Add Model">
              <PlusIcon aria-hidden />
            </Link>
          </Button>
          <MobileMenu />
        </div>
      </div>
    </header>
  )
}

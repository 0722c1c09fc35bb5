import { useQuery } from '@tanstack/react-query'
import { LogOutIcon, UserRoundIcon } from 'lucide-react'

import { Button } from '@/components/ui/button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '@/components/ui/dropdown-menu'
import { sessionQuery } from '@/hooks/queries'
import { isSignedOut } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useSignOut } from '../api/mutations'

const words = accessWords.account

/** Who is signed in, and the way out; nothing where nobody is asked. */
export function AccountMenu() {
  const session = useQuery(sessionQuery())
  const signOut = useSignOut()
  if (!session.data || session.data.access === 'open' || isSignedOut(session.error)) return null
  const { name, role } = session.data
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label={words.label} title={words.label}>
          <UserRoundIcon aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent>
        <p className="max-w-60 border-b px-2.5 py-2 text-sm">
          <span className="block truncate font-medium">{name}</span>
          <span className="text-muted-foreground">{accessWords.roles[role]}</span>
        </p>
        <DropdownMenuItem disabled={signOut.isPending} onSelect={() => signOut.mutate()}>
          <LogOutIcon aria-hidden />
          {words.signOut}
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  )
}

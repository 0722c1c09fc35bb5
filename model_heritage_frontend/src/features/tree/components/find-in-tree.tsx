import { SearchIcon } from 'lucide-react'
import { useMemo, useState } from 'react'

import { RelationDot } from '@/components/relation-badge'
import { Button } from '@/components/ui/button'
import {
  Command,
  CommandEmpty,
  CommandInput,
  CommandItem,
  CommandList,
  Popover,
  PopoverContent,
  PopoverTrigger,
} from '@/components/ui/command'
import { treeWords } from '@/strings/tree'

import { memberName, type Genealogy } from '../genealogy'

const MOST = 50

interface FindInTreeProps {
  genealogy: Genealogy
  open: boolean
  onOpenChange: (open: boolean) => void
  onFind: (id: string) => void
}

/** Finds a member of the family by name, shown or folded away. */
export function FindInTree({ genealogy, open, onOpenChange, onFind }: FindInTreeProps) {
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const found = useMemo(
    () => genealogy.members.filter((member) => memberName(member).toLowerCase().includes(wanted)),
    [genealogy, wanted],
  )
  return (
    <Popover open={open} onOpenChange={onOpenChange}>
      <PopoverTrigger asChild>
        <Button variant="outline">
          <SearchIcon aria-hidden />
          {treeWords.find.open}
        </Button>
      </PopoverTrigger>
      <PopoverContent className="w-72">
        <Command shouldFilter={false} label={treeWords.find.label}>
          <CommandInput
            placeholder={treeWords.find.placeholder}
            value={text}
            onValueChange={setText}
          />
          <CommandList className="max-h-72 overflow-y-auto p-1">
            <CommandEmpty className="text-muted-foreground px-3 py-6 text-center text-sm">
              {treeWords.find.none}
            </CommandEmpty>
            {found.slice(0, MOST).map((member) => (
              <CommandItem
                key={member.id}
                value={member.id}
                onSelect={() => {
                  onFind(member.id)
                  onOpenChange(false)
                }}
              >
                {member.edge && <RelationDot relation={member.edge.relation} />}
                <span className="min-w-0 truncate">{memberName(member)}</span>
              </CommandItem>
            ))}
          </CommandList>
        </Command>
      </PopoverContent>
    </Popover>
  )
}

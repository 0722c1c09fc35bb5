import { SearchIcon } from 'lucide-react'
import { useState } from 'react'

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

import { nodeName, type TreeLayout } from '../layout'

const MOST = 50

interface FindInTreeProps {
  layout: TreeLayout
  onFind: (id: string) => void
}

/** Finds a member of the family by name. */
export function FindInTree({ layout, onFind }: FindInTreeProps) {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const found = layout.nodes.filter((node) => nodeName(node).toLowerCase().includes(wanted))
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button variant="outline">
          <SearchIcon aria-hidden />
          Find in this family
        </Button>
      </PopoverTrigger>
      <PopoverContent className="w-72">
        <Command shouldFilter={false} label="Members of the family">
          <CommandInput placeholder="Name" value={text} onValueChange={setText} />
          <CommandList className="max-h-72 overflow-y-auto p-1">
            <CommandEmpty className="text-muted-foreground px-3 py-6 text-center text-sm">
              No member has this name.
            </CommandEmpty>
            {found.slice(0, MOST).map((node) => (
              <CommandItem
                key={node.id}
                value={node.id}
                onSelect={() => {
                  onFind(node.id)
                  setOpen(false)
                }}
              >
                {node.edge && <RelationDot relation={node.edge.relation} />}
                <span className="min-w-0 truncate">{nodeName(node)}</span>
              </CommandItem>
            ))}
          </CommandList>
        </Command>
      </PopoverContent>
    </Popover>
  )
}

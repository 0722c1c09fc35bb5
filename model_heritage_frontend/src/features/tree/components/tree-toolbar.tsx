import { CircleDotIcon, ImageDownIcon, KeyboardIcon, ListTreeIcon, NetworkIcon } from 'lucide-react'
import { useId } from 'react'

import { Button } from '@/components/ui/button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '@/components/ui/dropdown-menu'
import { NativeSelect } from '@/components/ui/input'
import { Segmented } from '@/components/ui/segmented'
import { treeWords } from '@/strings/tree'

import type { Colouring } from '../colouring'
import type { Genealogy } from '../genealogy'
import type { TreeLayout } from '../layout'
import { savePicture } from '../picture'
import type { TreeViewState } from '../view-state'
import { FindInTree } from './find-in-tree'

const VIEWS = [
  { value: 'tree', label: treeWords.toolbar.views.tree, icon: <NetworkIcon aria-hidden /> },
  { value: 'radial', label: treeWords.toolbar.views.radial, icon: <CircleDotIcon aria-hidden /> },
  { value: 'list', label: treeWords.toolbar.views.list, icon: <ListTreeIcon aria-hidden /> },
] as const

interface ChoiceProps<T extends string> {
  label: string
  value: T
  options: Record<T, string>
  onChange: (value: T) => void
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const id = useId()
  return (
    <span className="flex items-center gap-2 text-sm">
      <label htmlFor={id} className="text-muted-foreground">
        {label}
      </label>
      <NativeSelect
        id={id}
        className="w-auto"
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {Object.entries(options).map(([key, words]) => (
          <option key={key} value={key}>
            {words as string}
          </option>
        ))}
      </NativeSelect>
    </span>
  )
}

interface TreeToolbarProps {
  genealogy: Genealogy
  layout: TreeLayout
  colouring: Colouring
  view: TreeViewState
  label: string
  finding: boolean
  onFinding: (finding: boolean) => void
  onFind: (id: string) => void
  onHelp: () => void
}

/** How the family is drawn, and the way to one of its members. */
export function TreeToolbar(props: TreeToolbarProps) {
  const { genealogy, layout, colouring, view, label, finding, onFinding, onFind, onHelp } = props
  const list = view.view === 'list'
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
      <FindInTree genealogy={genealogy} open={finding} onOpenChange={onFinding} onFind={onFind} />
      {!list && (
        <>
          <Choice
            label={view.view === 'radial' ? treeWords.toolbar.outwards : treeWords.toolbar.across}
            value={view.axis}
            options={treeWords.toolbar.axes}
            onChange={view.setAxis}
          />
          <Choice
            label={treeWords.toolbar.colour}
            value={view.colouring}
            options={treeWords.toolbar.colourings}
            onChange={view.setColouring}
          />
        </>
      )}
      <div className="ml-auto flex flex-wrap items-center gap-2">
        <Segmented
          label={treeWords.toolbar.view}
          value={view.view}
          options={VIEWS}
          onChange={view.setView}
        />
        {!list && (
          <>
            <DropdownMenu>
              <DropdownMenuTrigger asChild>
                <Button variant="outline" size="icon" aria-label={treeWords.toolbar.save}>
                  <ImageDownIcon aria-hidden />
                </Button>
              </DropdownMenuTrigger>
              <DropdownMenuContent>
                <DropdownMenuItem
                  onSelect={() => void savePicture('svg', layout, colouring, label)}
                >
                  {treeWords.toolbar.svg}
                </DropdownMenuItem>
                <DropdownMenuItem
                  onSelect={() => void savePicture('png', layout, colouring, label)}
                >
                  {treeWords.toolbar.png}
                </DropdownMenuItem>
              </DropdownMenuContent>
            </DropdownMenu>
            <Button
              variant="outline"
              size="icon"
              aria-label={treeWords.toolbar.keys}
              onClick={onHelp}
            >
              <KeyboardIcon aria-hidden />
            </Button>
          </>
        )}
      </div>
    </div>
  )
}

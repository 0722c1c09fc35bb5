import { PlusIcon, ScanSearchIcon } from 'lucide-react'
import { useId } from 'react'

import { Button } from '@/components/ui/button'
import { Label } from '@/components/ui/label'
import { Switch } from '@/components/ui/switch'
import { useQueryParam } from '@/hooks/use-query-param'
import { cn } from '@/lib/cn'

import { uploadWords } from '@/strings/upload'

import { isFinished, isReady, isSayable, MODE, type Purpose } from '../queue'
import { useUploads } from '../upload-context'
import { FileDropZone } from './file-drop-zone'
import { UploadRow } from './upload-row'

const words = uploadWords.uploadForm

function ModeSwitch({ mode, onMode }: { mode: Purpose; onMode: (mode: Purpose) => void }) {
  const id = useId()
  return (
    <div className="flex items-center gap-3">
      <Switch
        id={id}
        checked={mode === 'identify'}
        onCheckedChange={(only) => onMode(only ? 'identify' : 'add')}
      />
      <Label htmlFor={id}>{words.onlyTellMeWhere}</Label>
    </div>
  )
}

export function UploadForm() {
  const { items, addFiles, start, clearFinished } = useUploads()
  const [chosen, setChosen] = useQueryParam(MODE, 'add')
  const mode: Purpose = chosen === 'identify' ? 'identify' : 'add'
  const ready = items.filter(isReady)
  const startable = ready.length > 0 && (mode === 'identify' || ready.every(isSayable))
  const clearable = items.some((item) => isFinished(item) || item.refusal !== null)
  return (
    <form
      className="space-y-4"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (startable) start(mode)
      }}
    >
      <ModeSwitch mode={mode} onMode={setChosen} />
      <FileDropZone onFiles={addFiles} slim={items.length > 0} />
      {items.map((item) => (
        <UploadRow key={item.id} item={item} mode={mode} />
      ))}
      {(ready.length > 0 || clearable) && (
        <div
          className={cn(
            'flex flex-wrap items-center justify-end gap-2 py-4',
            // With many rows the button stays in reach.
            ready.length > 0 && 'bg-background sticky bottom-0 z-10 border-t',
          )}
        >
          {clearable && (
            <Button variant="ghost" onClick={clearFinished}>
              {words.clearFinished}
            </Button>
          )}
          {ready.length > 0 && (
            <Button type="submit" size="lg" className="max-sm:flex-1" disabled={!startable}>
              {mode === 'identify' ? (
                <>
                  <ScanSearchIcon aria-hidden />
                  {words.lookUp(ready.length)}
                </>
              ) : (
                <>
                  <PlusIcon aria-hidden />
                  {words.add(ready.length)}
                </>
              )}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}

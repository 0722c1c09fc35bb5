import { PlusIcon, ScanSearchIcon } from 'lucide-react'

import { Button } from '@/components/ui/button'
import { cn } from '@/lib/cn'
import { plural } from '@/lib/format'

import { isFinished, isReady } from '../queue'
import { useUploads } from '../upload-context'
import { FileDropZone } from './file-drop-zone'
import { UploadRow } from './upload-row'

export function UploadForm() {
  const { items, addFiles, start, clearFinished } = useUploads()
  const ready = items.filter(isReady)
  const startable = ready.length > 0 && ready.every((item) => item.name.trim() !== '')
  const clearable = items.some((item) => isFinished(item) || item.refusal !== null)
  return (
    <form
      className="space-y-4"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (startable) start('add')
      }}
    >
      <FileDropZone onFiles={addFiles} slim={items.length > 0} />
      {items.map((item) => (
        <UploadRow key={item.id} item={item} />
      ))}
      {items.length > 0 && (
        <div
          className={cn(
            'flex flex-wrap items-center justify-end gap-2 py-4',
            // With many rows the button stays in reach.
            ready.length > 0 && 'bg-background sticky bottom-0 z-10 border-t',
          )}
        >
          {clearable && ready.length === 0 && (
            <Button variant="ghost" onClick={clearFinished}>
              Clear finished
            </Button>
          )}
          {ready.length > 0 && (
            <Button
              size="lg"
              className="max-sm:flex-1"
              variant="outline"
              disabled={!startable}
              onClick={() => start('identify')}
            >
              <ScanSearchIcon aria-hidden />
              Only look up
            </Button>
          )}
          {ready.length > 0 && (
            <Button type="submit" size="lg" className="max-sm:flex-1" disabled={!startable}>
              <PlusIcon aria-hidden />
              Add {plural(ready.length, 'model')}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}

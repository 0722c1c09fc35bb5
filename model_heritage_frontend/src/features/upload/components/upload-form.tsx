import { PlusIcon } from 'lucide-react'

import { Button } from '@/components/ui/button'
import { plural } from '@/lib/format'

import { isFinished, isReady } from '../queue'
import { useUploads } from '../upload-context'
import { FileDropZone } from './file-drop-zone'
import { UploadRow } from './upload-row'

export function UploadForm() {
  const { items, addFiles, start, clearFinished } = useUploads()
  const ready = items.filter(isReady)
  const startable = ready.length > 0 && ready.every((item) => item.name.trim() !== '')
  const finished = items.filter(isFinished).length
  return (
    <form
      className="space-y-4"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (startable) start()
      }}
    >
      <FileDropZone onFiles={addFiles} slim={items.length > 0} />
      {items.map((item) => (
        <UploadRow key={item.id} item={item} />
      ))}
      {items.length > 0 && (
        <div className="bg-background/90 sticky bottom-0 -mx-1 flex flex-wrap items-center justify-end gap-2 px-1 py-4 backdrop-blur">
          {finished > 0 && (
            <Button variant="ghost" onClick={clearFinished}>
              Clear finished
            </Button>
          )}
          {ready.length > 0 && (
            <Button type="submit" size="lg" disabled={!startable}>
              <PlusIcon aria-hidden />
              Add {plural(ready.length, 'model')}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}

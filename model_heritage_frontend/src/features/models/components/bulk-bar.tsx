import { DownloadIcon, GitCompareArrowsIcon, TagIcon, Trash2Icon, XIcon } from 'lucide-react'
import { Link } from 'react-router'

import { Needs } from '@/components/needs'
import { Button } from '@/components/ui/button'
import { useMayAsOwner } from '@/hooks/use-may'
import { Progress } from '@/components/ui/progress'
import { api } from '@/lib/api'
import { paths } from '@/lib/paths'
import { modelsWords } from '@/strings/models'

import { useBulk, type Bulk } from '../api/bulk'
import { saveText, writeCsv } from '../csv'
import type { Selection } from '../selection'
import { DeleteDialog } from './delete-dialog'
import { TagDialog } from './tag-dialog'

const words = modelsWords.select

function Running({ bulk }: { bulk: Bulk }) {
  const { done, total } = bulk
  return (
    <div className="flex min-w-0 flex-1 items-center gap-3">
      <div className="min-w-20 flex-1">
        <Progress value={total > 0 ? done / total : null} label={words.bar} />
      </div>
      <span className="text-sm whitespace-nowrap tabular-nums">
        {modelsWords.progress(done, total)}
      </span>
      <Button size="sm" variant="outline" onClick={bulk.stop}>
        {modelsWords.stop}
      </Button>
    </div>
  )
}

/** What can be done with the models that are marked; it stays in view at the bottom. */
export function BulkBar({ selection }: { selection: Selection }) {
  const { models } = selection
  const mayDeleteOf = useMayAsOwner()
  const mayDelete = models.every((model) => mayDeleteOf(model.owner?.id))
  const removal = useBulk({
    words: modelsWords.delete.done,
    onEnd: (done) => selection.remove(done.map((model) => model.id)),
  })
  const tagging = useBulk({
    words: modelsWords.tag.done,
    onEnd: (_, whole) => {
      if (whole) selection.clear()
    },
  })
  const running = [removal, tagging].find((bulk) => bulk.running)
  if (models.length === 0 && !running) return null
  const [first, second] = models
  const pair = models.length === 2 && first && second ? paths.compare(first.id, second.id) : null
  return (
    <div
      role="region"
      aria-label={words.bar}
      className="bg-popover animate-rise sticky bottom-3 z-30 mt-6 flex flex-wrap items-center gap-2 rounded-xl border p-3 shadow-lg"
    >
      {running ? (
        <Running bulk={running} />
      ) : (
        <>
          <p className="mr-auto pl-1 text-sm font-medium tabular-nums" aria-live="polite">
            {words.count(models.length)}
          </p>
          <Needs least="editor">
            <TagDialog
              count={models.length}
              onTags={(tags) =>
                void tagging.run(models, ({ id, declared }) =>
                  api.updateModel(id, { tags: [...new Set([...declared.tags, ...tags])] }),
                )
              }
              trigger={
                <Button size="sm" variant="outline">
                  <TagIcon aria-hidden />
                  {words.tag}
                </Button>
              }
            />
          </Needs>
          <Button
            size="sm"
            variant="outline"
            onClick={() => saveText(writeCsv(models), 'models.csv')}
          >
            <DownloadIcon aria-hidden />
            {words.export}
          </Button>
          {pair ? (
            <Button asChild size="sm" variant="outline">
              <Link to={pair}>
                <GitCompareArrowsIcon aria-hidden />
                {words.compare}
              </Link>
            </Button>
          ) : (
            <Button size="sm" variant="outline" disabled title={words.compareHint}>
              <GitCompareArrowsIcon aria-hidden />
              {words.compare}
            </Button>
          )}
          {mayDelete && (
            <DeleteDialog
              models={models}
              onConfirm={() => void removal.run(models, ({ id }) => api.deleteModel(id))}
              trigger={
                <Button
                  size="sm"
                  variant="outline"
                  className="text-destructive hover:text-destructive"
                >
                  <Trash2Icon aria-hidden />
                  {words.delete}
                </Button>
              }
            />
          )}
          <Button
            size="icon"
            variant="ghost"
            className="size-8"
            aria-label={words.clear}
            onClick={selection.clear}
          >
            <XIcon aria-hidden />
          </Button>
        </>
      )}
    </div>
  )
}

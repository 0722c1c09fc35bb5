import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { toast } from 'sonner'

import { refreshLake } from '@/hooks/queries'
import { describeError } from '@/lib/problem'
import type { Model } from '@/lib/types'
import { modelsWords } from '@/strings/models'

export interface Bulk {
  running: boolean
  /** Models that are done, of so many. */
  done: number
  total: number
  run: (models: Model[], ask: (model: Model) => Promise<unknown>) => Promise<void>
  stop: () => void
}

interface BulkOptions {
  /** What is said when all is done. */
  words: (count: number) => string
  /** After the end, also an early one, with what was done. */
  onEnd: (done: Model[], whole: boolean) => void
}

/** Does one thing to many models, one after the other, so that it can be watched and stopped. */
export function useBulk({ words, onEnd }: BulkOptions): Bulk {
  const client = useQueryClient()
  const [state, setState] = useState<{ done: number; total: number } | null>(null)
  const running = useRef<AbortController>(null)
  const run: Bulk['run'] = async (models, ask) => {
    const total = models.length
    const control = new AbortController()
    running.current = control
    const finished: Model[] = []
    setState({ done: 0, total })
    try {
      for (const model of models) {
        if (control.signal.aborted) break
        await ask(model)
        finished.push(model)
        setState({ done: finished.length, total })
      }
      if (finished.length === models.length) toast.success(words(finished.length))
      else toast(modelsWords.stopped(finished.length, models.length))
    } catch (error) {
      toast.error(modelsWords.failedAfter(finished.length, describeError(error)))
    }
    setState(null)
    onEnd(finished, finished.length === models.length)
    await refreshLake(client)
  }
  return {
    running: state !== null,
    done: state?.done ?? 0,
    total: state?.total ?? 0,
    run,
    stop: () => running.current?.abort(),
  }
}

import { useCallback, useMemo, useState } from 'react'

import type { Model } from '@/lib/types'

export interface Selection {
  models: Model[]
  has: (id: string) => boolean
  toggle: (model: Model) => void
  /** Takes these in; when all of them are in, takes them out. */
  toggleAll: (models: Model[]) => void
  remove: (ids: string[]) => void
  clear: () => void
}

/** What is marked in the catalogue. It outlives a change of filters, so that it can be gathered. */
export function useSelection(): Selection {
  const [chosen, setChosen] = useState<ReadonlyMap<string, Model>>(new Map())
  const edit = useCallback(
    (change: (map: Map<string, Model>) => void) =>
      setChosen((before) => {
        const after = new Map(before)
        change(after)
        return after
      }),
    [],
  )
  return useMemo(
    () => ({
      models: [...chosen.values()],
      has: (id) => chosen.has(id),
      toggle: (model) =>
        edit((map) => {
          if (!map.delete(model.id)) map.set(model.id, model)
        }),
      toggleAll: (models) =>
        edit((map) => {
          const all = models.every((model) => map.has(model.id))
          for (const model of models) {
            if (all) map.delete(model.id)
            else map.set(model.id, model)
          }
        }),
      remove: (ids) => edit((map) => ids.forEach((id) => map.delete(id))),
      clear: () => setChosen(new Map()),
    }),
    [chosen, edit],
  )
}

import type { Model } from '@/lib/types'

import type { Selection } from './selection'

/** Models that are loaded of all that match, for the view that draws them. */
export interface Listing {
  models: Model[]
  total: number
  selection: Selection
  sort: string
  onSort: (sort: string) => void
  hasMore: boolean
  isLoading: boolean
  onMore: () => void
}

import type { ReactNode } from 'react'

import { useMay } from '@/hooks/use-may'
import type { Role } from '@/lib/access'

/** Shows what only some may do to those who may. */
export function Needs({ least, children }: { least: Role; children: ReactNode }) {
  return useMay()(least) ? children : null
}

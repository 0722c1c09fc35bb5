import { useCallback } from 'react'
import { useSearchParams } from 'react-router'

import { useEditParams } from '@/hooks/use-edit-params'

/**
 * One piece of view state that lives in the address. Setting it to null or to its default takes it
 * out again, so that the plain page has a plain address.
 */
export function useQueryParam(
  name: string,
  fallback = '',
): [string, (value: string | null) => void] {
  const [params] = useSearchParams()
  const change = useEditParams()
  const set = useCallback(
    (value: string | null) =>
      change((after) => {
        if (value === null || value === fallback) after.delete(name)
        else after.set(name, value)
      }),
    [change, name, fallback],
  )
  return [params.get(name) ?? fallback, set]
}

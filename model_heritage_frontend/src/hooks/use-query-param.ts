import { useCallback } from 'react'
import { useSearchParams } from 'react-router'

/**
 * One piece of view state that lives in the address. Setting it to null or to its default takes it
 * out again, so that the plain page has a plain address. Replaces the history entry: typing a search
 * must not fill the back button.
 */
export function useQueryParam(
  name: string,
  fallback = '',
): [string, (value: string | null) => void] {
  const [params, setParams] = useSearchParams()
  const set = useCallback(
    (value: string | null) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before)
          if (value === null || value === fallback) after.delete(name)
          else after.set(name, value)
          return after
        },
        { replace: true, preventScrollReset: true },
      )
    },
    [setParams, name, fallback],
  )
  return [params.get(name) ?? fallback, set]
}

import { useCallback, useContext } from 'react'
import { UNSAFE_DataRouterContext, useSearchParams } from 'react-router'

type Edit = (params: URLSearchParams) => void

/**
 * Changes the query of the address as it stands now. `setSearchParams` edits what was drawn last:
 * of two changes before the next drawing, which takes its time on a busy machine, one would be lost.
 */
export function useEditParams(): (edit: Edit) => void {
  const [drawn, setParams] = useSearchParams()
  const context = useContext(UNSAFE_DataRouterContext)
  return useCallback(
    (edit) => {
      const now = new URLSearchParams(context?.router.state.location.search ?? drawn)
      edit(now)
      // Replaces the history entry: typing a search must not fill the back button.
      setParams(now, { replace: true, preventScrollReset: true })
    },
    [context, drawn, setParams],
  )
}

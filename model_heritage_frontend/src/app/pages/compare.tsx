import { ArrowLeftRightIcon, GitCompareArrowsIcon } from 'lucide-react'
import { useSearchParams } from 'react-router'

import { PageHeader } from '@/components/page-header'
import { EmptyState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { ComparisonView } from '@/features/compare/components/comparison-view'
import { ModelPicker } from '@/features/compare/components/model-picker'
import { useTitle } from '@/hooks/use-title'

export function ComparePage() {
  useTitle('Compare')
  const [params, setParams] = useSearchParams()
  const a = params.get('a') ?? ''
  const b = params.get('b') ?? ''
  // Both at once, so that the swap is one step in the history.
  const choose = (changes: { a?: string; b?: string }) => {
    const next = new URLSearchParams(params)
    for (const [side, id] of Object.entries(changes)) next.set(side, id)
    setParams(next)
  }
  return (
    <>
      <PageHeader
        title="Compare"
        description="What changed between two models, tensor by tensor."
      />
      <div className="mb-8 flex flex-col gap-3 sm:flex-row sm:items-end">
        <ModelPicker label="From" value={a} onChange={(id) => choose({ a: id })} />
        <Button
          variant="outline"
          size="icon"
          className="size-11 self-center sm:self-auto"
          aria-label="Swap the two models"
          disabled={a === '' && b === ''}
          onClick={() => choose({ a: b, b: a })}
        >
          <ArrowLeftRightIcon aria-hidden className="max-sm:rotate-90" />
        </Button>
        <ModelPicker label="To" value={b} onChange={(id) => choose({ b: id })} />
      </div>
      {a !== '' && b !== '' ? (
        a === b ? (
          <EmptyState icon={GitCompareArrowsIcon} title="One and the same model">
            Choose another one on either side.
          </EmptyState>
        ) : (
          <ComparisonView key={`${a} ${b}`} a={a} b={b} />
        )
      ) : (
        <EmptyState icon={GitCompareArrowsIcon} title="Choose two models">
          Parent and child, siblings, or any two: the table shows which tensors differ and by how
          much.
        </EmptyState>
      )}
    </>
  )
}

import { ArrowLeftRightIcon, GitCompareArrowsIcon } from 'lucide-react'
import { useSearchParams } from 'react-router'

import { PageHeader } from '@/components/page-header'
import { EmptyState } from '@/components/states'
import { Button } from '@/components/ui/button'
import { ComparisonView } from '@/features/compare/components/comparison-view'
import { ModelPicker } from '@/features/compare/components/model-picker'
import { useTitle } from '@/hooks/use-title'
import { useEditParams } from '@/hooks/use-edit-params'
import { compareWords } from '@/strings/compare'

export function ComparePage() {
  useTitle(compareWords.title)
  const [params] = useSearchParams()
  const edit = useEditParams()
  const a = params.get('a') ?? ''
  const b = params.get('b') ?? ''
  // Both at once, so that the swap is one step in the history.
  const choose = (changes: { a?: string; b?: string }) =>
    edit(
      (next) => {
        for (const [side, id] of Object.entries(changes)) next.set(side, id)
      },
      { replace: false },
    )
  return (
    <>
      <PageHeader title={compareWords.title} description={compareWords.description} />
      <div className="mb-8 flex flex-col gap-3 sm:flex-row sm:items-end">
        <ModelPicker label={compareWords.from} value={a} onChange={(id) => choose({ a: id })} />
        <Button
          variant="outline"
          size="icon"
          className="size-11 self-center sm:self-auto"
          aria-label={compareWords.swap}
          disabled={a === '' && b === ''}
          onClick={() => choose({ a: b, b: a })}
        >
          <ArrowLeftRightIcon aria-hidden className="max-sm:rotate-90" />
        </Button>
        <ModelPicker label={compareWords.to} value={b} onChange={(id) => choose({ b: id })} />
      </div>
      {a !== '' && b !== '' ? (
        a === b ? (
          <EmptyState icon={GitCompareArrowsIcon} title={compareWords.same.title}>
            {compareWords.same.text}
          </EmptyState>
        ) : (
          <ComparisonView key={`${a} ${b}`} a={a} b={b} />
        )
      ) : (
        <EmptyState icon={GitCompareArrowsIcon} title={compareWords.choose.title}>
          {compareWords.choose.text}
        </EmptyState>
      )}
    </>
  )
}

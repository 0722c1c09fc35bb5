import { PageHeader } from '@/components/page-header'
import { FamilyGrid } from '@/features/families/components/family-grid'
import { FamilySketch } from '@/features/tree/components/family-sketch'
import { useTitle } from '@/hooks/use-title'

export function FamiliesPage() {
  useTitle('Families')
  return (
    <>
      <PageHeader
        title="Families"
        description="Models that descend from a common ancestor, found by comparing their weights."
      />
      <FamilyGrid picture={(family) => <FamilySketch familyId={family.id} />} />
    </>
  )
}

import { PageHeader } from '@/components/page-header'
import { FamilyGrid } from '@/features/families/components/family-grid'
import { FamilySketch } from '@/features/tree/components/family-sketch'
import { useTitle } from '@/hooks/use-title'
import { familyWords } from '@/strings/families'

export function FamiliesPage() {
  useTitle(familyWords.title)
  return (
    <>
      <PageHeader title={familyWords.title} description={familyWords.description} />
      <FamilyGrid picture={(family) => <FamilySketch familyId={family.id} />} />
    </>
  )
}

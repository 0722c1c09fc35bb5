import { useQuery } from '@tanstack/react-query'

import { ErrorState } from '@/components/states'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { constraintsQuery } from '@/hooks/statement-queries'
import { correctionWords } from '@/strings/corrections'

import type { OnSolved } from '../api/mutations'
import { StatementList } from './statement-list'

/** What people state about the family; no card where nobody has stated anything. */
export function FamilyStatements({ familyId, onSolved }: { familyId: string; onSolved: OnSolved }) {
  const statements = useQuery(constraintsQuery('families', familyId))
  if (statements.isPending) return null
  if (statements.isSuccess && statements.data.constraints.length === 0) return null
  return (
    <Card>
      <CardHeader>
        <CardTitle>{correctionWords.statements.title}</CardTitle>
      </CardHeader>
      <CardContent className="pt-3">
        {statements.isError ? (
          <ErrorState
            error={statements.error}
            onRetry={() => void statements.refetch()}
            className="py-6"
          />
        ) : (
          <StatementList constraints={statements.data.constraints} onSolved={onSolved} />
        )}
      </CardContent>
    </Card>
  )
}

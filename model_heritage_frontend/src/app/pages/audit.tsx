import { Link } from 'react-router'

import { PageHeader } from '@/components/page-header'
import { AuditLog } from '@/features/access/components/audit-log'
import { useTitle } from '@/hooks/use-title'
import { paths } from '@/lib/paths'
import { accessWords } from '@/strings/access'

const words = accessWords.audit

export function AuditPage() {
  useTitle(words.title)
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        eyebrow={
          <Link to={paths.settings} className="hover:text-foreground underline underline-offset-4">
            {words.back}
          </Link>
        }
        title={words.title}
        description={words.text}
      />
      <AuditLog />
    </div>
  )
}

import { Needs } from '@/components/needs'
import { PageHeader } from '@/components/page-header'
import { AdminActions } from '@/features/jobs/components/admin-actions'
import { JobList } from '@/features/jobs/components/job-list'
import { useTitle } from '@/hooks/use-title'
import { pageWords } from '@/strings/pages'

const words = pageWords.jobs

export function JobsPage() {
  useTitle(words.jobs)
  return (
    <>
      <PageHeader
        title={words.jobs}
        description={words.whatTheServerIs}
        actions={
          <Needs least="admin">
            <AdminActions />
          </Needs>
        }
      />
      <JobList />
    </>
  )
}

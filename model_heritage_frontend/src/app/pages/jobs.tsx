import { PageHeader } from '@/components/page-header'
import { AdminActions } from '@/features/jobs/components/admin-actions'
import { JobList } from '@/features/jobs/components/job-list'
import { useTitle } from '@/hooks/use-title'

export function JobsPage() {
  useTitle('Jobs')
  return (
    <>
      <PageHeader
        title="Jobs"
        description="What the server is doing, and what it did."
        actions={<AdminActions />}
      />
      <JobList />
    </>
  )
}

import { toast } from 'sonner'

import { restartTour } from '@/app/tour-state'
import { PageHeader } from '@/components/page-header'
import { AuditSettings } from '@/features/access/components/audit-settings'
import { OwnerSettings } from '@/features/access/components/owner-settings'
import { PasswordSettings } from '@/features/access/components/password-settings'
import { SignedInSettings } from '@/features/access/components/signed-in-settings'
import { OwnTokenSettings, TokenSettings } from '@/features/access/components/token-settings'
import { UserSettings } from '@/features/access/components/user-settings'
import { AboutServer } from '@/features/settings/components/about-server'
import { Preferences } from '@/features/settings/components/preferences'
import { ServerSettings } from '@/features/settings/components/server-settings'
import { useTitle } from '@/hooks/use-title'
import { shellWords } from '@/strings/shell'

const words = shellWords.settings

// In one chunk with the settings: the two have their parts in common.
export { AuditPage } from '@/app/pages/audit'

export function SettingsPage() {
  useTitle(words.title)
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader title={words.title} description={words.description} />
      <div className="space-y-5">
        <Preferences
          onTour={() => {
            restartTour()
            toast.success(words.tourSet)
          }}
        />
        <PasswordSettings />
        <OwnTokenSettings />
        <UserSettings />
        <TokenSettings />
        <ServerSettings />
        <SignedInSettings />
        <OwnerSettings />
        <AuditSettings />
        <AboutServer />
      </div>
    </div>
  )
}

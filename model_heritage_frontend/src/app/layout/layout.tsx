import { useTheme } from 'next-themes'
import { useCallback, useState } from 'react'
import { Outlet, ScrollRestoration, useNavigation } from 'react-router'
import { Toaster } from 'sonner'

import { Footer } from '@/app/layout/footer'
import { FRAME } from '@/app/layout/frame'
import { Gate } from '@/app/layout/gate'
import { HelpDialog } from '@/app/layout/help-dialog'
import { Navbar } from '@/app/layout/navbar'
import { useShortcuts } from '@/app/layout/shortcuts'
import { DropAnywhere } from '@/features/upload/components/drop-anywhere'
import { UploadProvider } from '@/features/upload/components/upload-provider'
import { cn } from '@/lib/cn'
import { shellWords } from '@/strings/shell'

/** A thin line at the top while the next page's code is on its way. */
function PageProgress() {
  const busy = useNavigation().state === 'loading'
  if (!busy) return null
  return (
    <div aria-hidden className="fixed inset-x-0 top-0 z-50 h-0.5 overflow-hidden">
      <div className="animate-slide bg-primary h-full w-1/3" />
    </div>
  )
}

export function Layout() {
  const { resolvedTheme } = useTheme()
  const [help, setHelp] = useState(false)
  const showHelp = useCallback(() => setHelp(true), [])
  useShortcuts(showHelp)
  return (
    <UploadProvider>
      <DropAnywhere>
        <a
          href="#content"
          className="bg-primary text-primary-foreground sr-only z-50 rounded-md px-4 py-2 focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          {shellWords.skip}
        </a>
        <PageProgress />
        <div className="flex min-h-dvh flex-col">
          <Navbar onHelp={showHelp} />
          <main
            id="content"
            tabIndex={-1}
            className={cn(FRAME, 'flex-1 pt-8 pb-20 outline-none sm:pt-12')}
          >
            <Gate>
              <Outlet />
            </Gate>
          </main>
          <Footer onHelp={showHelp} />
        </div>
        <HelpDialog open={help} onOpenChange={setHelp} />
        <Toaster
          theme={resolvedTheme === 'dark' ? 'dark' : 'light'}
          position="bottom-center"
          toastOptions={{ className: 'font-sans' }}
        />
        <ScrollRestoration />
      </DropAnywhere>
    </UploadProvider>
  )
}

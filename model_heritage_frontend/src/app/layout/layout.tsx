import { useTheme } from 'next-themes'
import { Outlet, ScrollRestoration, useNavigation } from 'react-router'
import { Toaster } from 'sonner'

import { Footer } from '@/app/layout/footer'
import { Navbar } from '@/app/layout/navbar'
import { DropAnywhere } from '@/features/upload/components/drop-anywhere'
import { UploadProvider } from '@/features/upload/components/upload-provider'

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
  return (
    <UploadProvider>
      <DropAnywhere>
        <a
          href="#content"
          className="bg-primary text-primary-foreground sr-only z-50 rounded-md px-4 py-2 focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          Skip to the content
        </a>
        <PageProgress />
        <div className="flex min-h-dvh flex-col">
          <Navbar />
          <main
            id="content"
            tabIndex={-1}
            className="mx-auto w-full max-w-6xl flex-1 px-4 pt-8 pb-20 outline-none sm:px-6 sm:pt-12"
          >
            <Outlet />
          </main>
          <Footer />
        </div>
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

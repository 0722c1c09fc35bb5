import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, type ReactNode } from 'react'

import { sessionQuery } from '@/hooks/queries'
import { isSignedOut } from '@/lib/problem'

const SignInPage = lazy(async () => ({
  default: (await import('@/app/pages/sign-in')).SignInPage,
}))

/**
 * The page, or the way to sign in where the server asks for it. Until it has said so the page is
 * shown: most servers ask nobody, and nobody shall wait for that.
 */
export function Gate({ children }: { children: ReactNode }) {
  const session = useQuery(sessionQuery())
  if (!isSignedOut(session.error)) return children
  return (
    <Suspense>
      <SignInPage />
    </Suspense>
  )
}

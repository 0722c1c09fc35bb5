import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { PageHeader } from '@/components/page-header'
import { Button } from '@/components/ui/button'
import { PasswordForm } from '@/features/access/components/password-form'
import { SignInForm } from '@/features/access/components/sign-in-form'
import { accessQuery } from '@/hooks/queries'
import { useTitle } from '@/hooks/use-title'
import { accessWords } from '@/strings/access'

const words = accessWords.signIn

export function SignInPage() {
  const { data } = useQuery(accessQuery())
  const [byToken, setByToken] = useState(false)
  const users = data?.access === 'login'
  const first = users && data.awaits_setup
  useTitle(words.title)
  return (
    <div className="mx-auto max-w-md">
      <PageHeader
        title={first ? words.firstTitle : words.title}
        description={first ? words.firstText : users ? words.usersText : words.text}
      />
      {users && !byToken ? <PasswordForm first={first} /> : <SignInForm />}
      {users && !first && (
        <p className="mt-4 text-center">
          <Button variant="link" onClick={() => setByToken(!byToken)}>
            {byToken ? words.byPassword : words.byToken}
          </Button>
        </p>
      )}
    </div>
  )
}

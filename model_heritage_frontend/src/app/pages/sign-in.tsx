import { PageHeader } from '@/components/page-header'
import { SignInForm } from '@/features/access/components/sign-in-form'
import { useTitle } from '@/hooks/use-title'
import { accessWords } from '@/strings/access'

const words = accessWords.signIn

export function SignInPage() {
  useTitle(words.title)
  return (
    <div className="mx-auto max-w-md">
      <PageHeader title={words.title} description={words.text} />
      <SignInForm />
    </div>
  )
}

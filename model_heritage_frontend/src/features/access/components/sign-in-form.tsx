import { KeyRoundIcon } from 'lucide-react'
import { useId, useState } from 'react'

import { Button } from '@/components/ui/button'
import { Card, CardContent } from '@/components/ui/card'
import { Input } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useSignIn } from '../api/mutations'

const words = accessWords.signIn

export function SignInForm() {
  const id = useId()
  const [token, setToken] = useState('')
  const { mutate, isPending, error } = useSignIn()
  return (
    <Card>
      <CardContent>
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            mutate(token.trim())
          }}
        >
          <div className="space-y-1.5">
            <Label htmlFor={id}>{words.token}</Label>
            <Input
              id={id}
              type="password"
              className="font-mono"
              value={token}
              maxLength={200}
              autoComplete="current-password"
              spellCheck={false}
              autoCapitalize="none"
              aria-invalid={error !== null}
              aria-describedby={error ? `${id}-hint ${id}-error` : `${id}-hint`}
              onChange={(event) => setToken(event.target.value)}
            />
            <p id={`${id}-hint`} className="text-muted-foreground text-sm text-pretty">
              {words.hint}
            </p>
            {error && (
              <p id={`${id}-error`} role="alert" className="text-destructive text-sm">
                {describeError(error)}
              </p>
            )}
          </div>
          <Button type="submit" className="w-full" disabled={isPending || token.trim() === ''}>
            <KeyRoundIcon aria-hidden />
            {words.submit}
          </Button>
        </form>
      </CardContent>
    </Card>
  )
}

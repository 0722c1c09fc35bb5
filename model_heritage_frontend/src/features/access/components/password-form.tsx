import { KeyRoundIcon } from 'lucide-react'
import { useState } from 'react'

import { Button } from '@/components/ui/button'
import { Card, CardContent } from '@/components/ui/card'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useSetUp, useSignInByPassword } from '../api/mutations'
import { TextField } from './text-field'

const words = accessWords.signIn

/** Name and password; with the code of the server's log, of the first admin. */
export function PasswordForm({ first }: { first: boolean }) {
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useSignInByPassword()
  const setUp = useSetUp()
  const { isPending, error } = first ? setUp : signIn
  const filled = name.trim() !== '' && password !== '' && (!first || code.trim() !== '')
  return (
    <Card>
      <CardContent>
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            const said = { name: name.trim(), password }
            if (first) setUp.mutate({ ...said, code: code.trim() })
            else signIn.mutate(said)
          }}
        >
          {first && (
            <TextField
              label={words.code}
              hint={words.codeHint}
              value={code}
              onChange={setCode}
              autoComplete="one-time-code"
              mono
            />
          )}
          <TextField label={words.name} value={name} onChange={setName} autoComplete="username" />
          <TextField
            label={words.password}
            value={password}
            onChange={setPassword}
            autoComplete={first ? 'new-password' : 'current-password'}
            password
            {...(first && { hint: accessWords.passwordHint })}
          />
          {error && (
            <p role="alert" className="text-destructive text-sm">
              {describeError(error)}
            </p>
          )}
          <Button type="submit" className="w-full" disabled={isPending || !filled}>
            <KeyRoundIcon aria-hidden />
            {first ? words.setUp : words.submit}
          </Button>
        </form>
      </CardContent>
    </Card>
  )
}

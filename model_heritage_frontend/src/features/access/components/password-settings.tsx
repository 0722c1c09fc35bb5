import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { sessionQuery } from '@/hooks/queries'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useChangePassword } from '../api/mutations'
import { TextField } from './text-field'

const words = accessWords.password

/** A new password for oneself; for those who signed in with one. */
export function PasswordSettings() {
  const { data: session } = useQuery(sessionQuery())
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const { mutate, isPending, error } = useChangePassword()
  if (session?.access !== 'login' || session.session_id === null || session.token_id !== null)
    return null
  return (
    <Card>
      <CardHeader>
        <div>
          <CardTitle>{words.title}</CardTitle>
          <p className="text-muted-foreground mt-0.5 text-sm text-pretty">{words.text}</p>
        </div>
      </CardHeader>
      <CardContent className="pt-2">
        <form
          className="max-w-sm space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            mutate({ old, new: next })
          }}
        >
          <TextField
            label={words.old}
            value={old}
            onChange={setOld}
            autoComplete="current-password"
            password
          />
          <TextField
            label={words.next}
            hint={accessWords.passwordHint}
            value={next}
            onChange={setNext}
            autoComplete="new-password"
            password
          />
          {error && (
            <p role="alert" className="text-destructive text-sm">
              {describeError(error)}
            </p>
          )}
          <Button type="submit" variant="outline" disabled={isPending || !old || !next}>
            {words.submit}
          </Button>
        </form>
      </CardContent>
    </Card>
  )
}

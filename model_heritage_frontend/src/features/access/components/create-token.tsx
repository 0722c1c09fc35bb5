import { PlusIcon } from 'lucide-react'
import { useId, useState } from 'react'

import { CopyButton } from '@/components/copy-button'
import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogClose,
  DialogContent,
  DialogDescription,
  DialogTitle,
  DialogTrigger,
} from '@/components/ui/dialog'
import { Input, NativeSelect } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import type { Role } from '@/lib/access'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useCreateToken } from '../api/mutations'
import { RoleSelect } from './role-select'

const words = accessWords.tokens
const DAYS = 90

function Made({ token }: { token: string }) {
  return (
    <>
      <DialogTitle>{words.made}</DialogTitle>
      <DialogDescription>{words.madeText}</DialogDescription>
      <div className="bg-muted mt-4 flex items-center gap-2 rounded-md px-3 py-2">
        <code className="min-w-0 flex-1 font-mono text-sm break-all">{token}</code>
        <CopyButton text={token} label={words.copy} />
      </div>
      <div className="mt-5 flex justify-end">
        <DialogClose asChild>
          <Button>{words.done}</Button>
        </DialogClose>
      </div>
    </>
  )
}

interface CreateTokenProps {
  /** Whether it is for oneself, and not for the server. */
  own: boolean
  /** The largest role that it may have. */
  upTo: Role
}

function Form({ own, upTo }: CreateTokenProps) {
  const id = useId()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [days, setDays] = useState(DAYS)
  const { mutate, isPending, error, data } = useCreateToken(own)
  if (data) return <Made token={data.token} />
  return (
    <>
      <DialogTitle>{words.create}</DialogTitle>
      <DialogDescription>{own ? words.createOwnText : words.createText}</DialogDescription>
      <form
        className="mt-4 space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          mutate({ name: name.trim(), role, expires_in_days: days === 0 ? null : days })
        }}
      >
        <div className="space-y-1.5">
          <Label htmlFor={`${id}-name`}>{words.name}</Label>
          <Input
            id={`${id}-name`}
            value={name}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <RoleSelect label={words.role} role={role} onChange={setRole} upTo={upTo} explained />
        <div className="space-y-1.5">
          <Label htmlFor={`${id}-days`}>{words.days}</Label>
          <NativeSelect
            id={`${id}-days`}
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
          >
            {words.daysOptions.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </NativeSelect>
        </div>
        {error && (
          <p role="alert" className="text-destructive text-sm">
            {describeError(error)}
          </p>
        )}
        <div className="flex justify-end">
          <Button type="submit" disabled={isPending || name.trim() === ''}>
            {words.create}
          </Button>
        </div>
      </form>
    </>
  )
}

/** The form, and then the token. Closing the dialog forgets it. */
export function CreateToken({ own, upTo }: CreateTokenProps) {
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button variant="outline">
          <PlusIcon aria-hidden />
          {own ? words.createOwn : words.create}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <Form own={own} upTo={upTo} />
      </DialogContent>
    </Dialog>
  )
}

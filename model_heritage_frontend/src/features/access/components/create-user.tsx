import { UserPlusIcon } from 'lucide-react'
import { useState } from 'react'

import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogContent,
  DialogDescription,
  DialogTitle,
  DialogTrigger,
} from '@/components/ui/dialog'
import type { Role } from '@/lib/access'
import { describeError } from '@/lib/problem'
import { accessWords } from '@/strings/access'

import { useCreateUser } from '../api/mutations'
import { RoleSelect } from './role-select'
import { TextField } from './text-field'

const words = accessWords.users

function Form({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const { mutate, isPending, error } = useCreateUser(onDone)
  return (
    <form
      className="mt-4 space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        mutate({ name: name.trim(), role, password })
      }}
    >
      <TextField label={words.name} value={name} onChange={setName} autoComplete="off" />
      <TextField
        label={words.password}
        hint={accessWords.passwordHint}
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        password
      />
      <RoleSelect label={words.role} role={role} onChange={setRole} explained />
      {error && (
        <p role="alert" className="text-destructive text-sm">
          {describeError(error)}
        </p>
      )}
      <div className="flex justify-end">
        <Button type="submit" disabled={isPending || name.trim() === '' || password === ''}>
          {words.create}
        </Button>
      </div>
    </form>
  )
}

export function CreateUser() {
  const [open, setOpen] = useState(false)
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="outline">
          <UserPlusIcon aria-hidden />
          {words.create}
        </Button>
      </DialogTrigger>
      <DialogContent>
        <DialogTitle>{words.create}</DialogTitle>
        <DialogDescription>{words.createText}</DialogDescription>
        <Form onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  )
}

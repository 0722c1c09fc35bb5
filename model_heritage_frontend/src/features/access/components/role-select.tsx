import { useId } from 'react'

import { NativeSelect } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { ROLES, type Role } from '@/lib/access'
import { accessWords } from '@/strings/access'

interface RoleSelectProps {
  label: string
  role: Role
  onChange: (role: Role) => void
  /** Whether the label is seen and the role explained; else the label is spoken only. */
  explained?: boolean
  disabled?: boolean
  /** The largest one that is offered. */
  upTo?: Role
}

export function RoleSelect({
  label,
  role,
  onChange,
  explained,
  disabled,
  upTo = 'admin',
}: RoleSelectProps) {
  const id = useId()
  return (
    <div className="space-y-1.5">
      {explained && <Label htmlFor={id}>{label}</Label>}
      <NativeSelect
        id={id}
        value={role}
        disabled={disabled}
        aria-label={explained ? undefined : label}
        aria-describedby={explained ? `${id}-may` : undefined}
        onChange={(event) =>
          onChange(ROLES.find((each) => each === event.target.value) ?? 'viewer')
        }
      >
        {ROLES.slice(0, ROLES.indexOf(upTo) + 1).map((each) => (
          <option key={each} value={each}>
            {accessWords.roles[each]}
          </option>
        ))}
      </NativeSelect>
      {explained && (
        <p id={`${id}-may`} className="text-muted-foreground text-sm">
          {accessWords.roles[role]} {accessWords.rolesText[role]}.
        </p>
      )}
    </div>
  )
}

import { MonitorIcon, MoonIcon, SunIcon } from 'lucide-react'
import { useTheme } from 'next-themes'
import { useId } from 'react'

import { Button } from '@/components/ui/button'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Input } from '@/components/ui/input'
import { Label } from '@/components/ui/label'
import { Segmented } from '@/components/ui/segmented'
import { useAuthor } from '@/hooks/use-author'
import { shellWords } from '@/strings/shell'

import { Setting } from './setting'

const words = shellWords.settings
const THEMES = [
  { value: 'light', label: shellWords.theme.light, icon: <SunIcon aria-hidden /> },
  { value: 'dark', label: shellWords.theme.dark, icon: <MoonIcon aria-hidden /> },
  { value: 'system', label: shellWords.theme.system, icon: <MonitorIcon aria-hidden /> },
] as const

function AuthorSetting() {
  const id = useId()
  const { author, setAuthor, isKnown } = useAuthor()
  if (isKnown) return null
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-8 gap-y-3 py-4">
      <div className="min-w-0 flex-1 basis-60">
        <Label htmlFor={id}>{words.author}</Label>
        <p id={`${id}-hint`} className="text-muted-foreground mt-0.5 text-sm text-pretty">
          {words.authorHint}
        </p>
      </div>
      <Input
        id={id}
        className="sm:w-64"
        maxLength={200}
        autoComplete="name"
        aria-describedby={`${id}-hint`}
        value={author}
        onChange={(event) => setAuthor(event.target.value)}
      />
    </div>
  )
}

interface PreferencesProps {
  onTour: () => void
}

/** What this browser remembers of its reader. */
export function Preferences({ onTour }: PreferencesProps) {
  const { theme, setTheme } = useTheme()
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.appearance}</CardTitle>
      </CardHeader>
      <CardContent className="divide-y pt-1 pb-2">
        <Setting title={words.theme}>
          <Segmented
            label={words.theme}
            value={THEMES.find(({ value }) => value === theme)?.value ?? 'system'}
            options={THEMES}
            onChange={setTheme}
          />
        </Setting>
        <AuthorSetting />
        <Setting title={words.tour} text={words.tourText}>
          <Button variant="outline" onClick={onTour}>
            {words.tourAgain}
          </Button>
        </Setting>
      </CardContent>
    </Card>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { ErrorState, Loading } from '@/components/states'
import { Card, CardContent, CardHeader, CardTitle } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { Switch } from '@/components/ui/switch'
import { serverSettingsQuery, sessionQuery } from '@/hooks/queries'
import type { ServerSetting } from '@/lib/types'
import { shellWords } from '@/strings/shell'

import { Setting } from './setting'

const words = shellWords.settings

function showValue({ value, unit }: ServerSetting): string {
  if (value === null || value === '') return words.nothing
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return unit ? `${text} ${unit}` : text
}

function Row({ setting }: { setting: ServerSetting }) {
  const { name, origin, place, help } = setting
  const where = words.origins[origin]
  return (
    <div className="grid gap-x-8 gap-y-1 py-3 sm:grid-cols-[14rem_minmax(0,1fr)]">
      <dt className="font-mono text-xs leading-5 [overflow-wrap:anywhere]">{name}</dt>
      <dd className="text-sm">
        <span className="font-mono text-xs [overflow-wrap:anywhere]">{showValue(setting)}</span>
        <p className="text-muted-foreground mt-0.5 text-pretty">
          {help} ({place && place !== name ? `${where}: ${place}` : where})
        </p>
      </dd>
    </div>
  )
}

function Rows({ every }: { every: boolean }) {
  const query = useQuery(serverSettingsQuery())
  if (query.isPending) {
    return (
      <Loading label={words.serverLoading}>
        <Skeleton className="my-3 h-24" />
      </Loading>
    )
  }
  if (query.isError) {
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} className="py-8" />
  }
  const shown = query.data.settings.filter((setting) => every || setting.origin !== 'default')
  if (shown.length === 0) {
    return <p className="text-muted-foreground py-3 text-sm">{words.serverDefaults}</p>
  }
  return (
    <dl className="divide-y">
      {shown.map((setting) => (
        <Row key={setting.name} setting={setting} />
      ))}
    </dl>
  )
}

/** What the server was started with, for those who look after it. */
export function ServerSettings() {
  const [every, setEvery] = useState(false)
  const { data: session } = useQuery(sessionQuery())
  if (session?.role !== 'admin') return null
  return (
    <Card>
      <CardHeader>
        <CardTitle>{words.server}</CardTitle>
      </CardHeader>
      <CardContent className="pt-1">
        <Setting title={words.serverEvery} text={words.serverText}>
          <Switch checked={every} onCheckedChange={setEvery} aria-label={words.serverEvery} />
        </Setting>
        <Rows every={every} />
      </CardContent>
    </Card>
  )
}

import { formatAgo, formatDateTime } from '@/lib/format'

/** "3 minutes ago", with the full date on hover and for machines. */
export function Ago({ iso }: { iso: string }) {
  return (
    <time dateTime={iso} title={formatDateTime(iso)}>
      {formatAgo(iso)}
    </time>
  )
}

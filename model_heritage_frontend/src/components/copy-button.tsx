import { CheckIcon, CopyIcon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { toast } from 'sonner'

import { commonWords } from '@/strings/common'

interface CopyButtonProps {
  text: string
  label: string
}

export function CopyButton({ text, label }: CopyButtonProps) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])

  const copy = () => {
    // The clipboard is missing on plain http hosts other than localhost.
    if (!('clipboard' in navigator)) {
      toast.error(commonWords.copyButton.overHttps)
      return
    }
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => toast.error(commonWords.copyButton.refused),
    )
  }

  const Icon = copied ? CheckIcon : CopyIcon
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={copied ? commonWords.copyButton.copied : commonWords.copyButton.copy(label)}
      className="text-muted-foreground hover:bg-muted hover:text-foreground grid size-7 shrink-0 place-items-center rounded-md transition-colors"
    >
      <Icon className="size-3.5" aria-hidden />
    </button>
  )
}

import { vi } from 'vitest'

/** What the network does with the next bytes that are sent. */
type Mishap =
  /** So many arrive, and then nothing more happens. */
  | { kind: 'stall'; after: number }
  /** So many arrive, and then the connection is gone. */
  | { kind: 'lose'; after: number }

interface Reception {
  id: string
  length: number
  bytes: string
  metadata: Record<string, string>
}

const parseMetadata = (header: string): Record<string, string> =>
  Object.fromEntries(
    header.split(',').map((pair) => {
      const [key = '', value = ''] = pair.split(' ')
      return [key, new TextDecoder().decode(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)))]
    }),
  )

/**
 * Stands in for XMLHttpRequest and for the server behind it, as far as the tus protocol goes: the
 * real client runs against it. What else is sent this way is left for the test to answer.
 */
export class UploadServer {
  readonly uploads = new Map<string, Reception>()
  readonly requests: string[] = []
  /** The last request that is no upload, such as to identify. */
  last: FakeRequest | null = null
  mishap: Mishap | null = null

  constructor() {
    const receive = (request: FakeRequest) => void this.receive(request)
    class Bound extends FakeRequest {
      override send(body: Body) {
        this.body = body
        receive(this)
      }
    }
    vi.stubGlobal('XMLHttpRequest', Bound)
  }

  /** What the server holds, by the files' names. */
  get files(): Record<string, string> {
    return Object.fromEntries(
      [...this.uploads.values()].map(({ metadata, bytes }) => [metadata.filename ?? '', bytes]),
    )
  }

  private async receive(request: FakeRequest): Promise<void> {
    const { pathname } = new URL(request.url, 'http://localhost')
    this.requests.push(`${request.method} ${pathname}`)
    if (!pathname.startsWith('/api/uploads')) {
      this.last = request
      return
    }
    if (request.method === 'POST') {
      const id = `u_${this.uploads.size + 1}`
      const metadata = parseMetadata(request.headers['Upload-Metadata'] ?? '')
      const length = Number(request.headers['Upload-Length'])
      this.uploads.set(id, { id, length, metadata, bytes: '' })
      request.answer(201, null, { Location: `/api/uploads/${id}` })
      return
    }
    const reception = this.uploads.get(pathname.split('/').pop() ?? '')
    if (!reception) {
      request.answer(404, { title: 'Not found', detail: 'There is no such upload.' })
    } else if (request.method === 'DELETE') {
      this.uploads.delete(reception.id)
      request.answer(204, null)
    } else if (request.method === 'HEAD') {
      const { bytes, length } = reception
      request.answer(200, null, {
        'Upload-Offset': String(bytes.length),
        'Upload-Length': String(length),
      })
    } else await this.append(reception, request)
  }

  private async append(reception: Reception, request: FakeRequest): Promise<void> {
    const sent = request.body instanceof Blob ? await request.body.text() : ''
    const { mishap } = this
    this.mishap = null
    const arriving = mishap ? sent.slice(0, mishap.after) : sent
    request.progress(arriving.length, sent.length)
    reception.bytes += arriving
    if (mishap?.kind === 'stall') return
    if (mishap?.kind === 'lose') request.fail()
    else request.answer(204, null, { 'Upload-Offset': String(reception.bytes.length) })
  }
}

type Body = Blob | FormData | null

export class FakeRequest extends EventTarget {
  upload: EventTarget & { onprogress?: (event: ProgressEvent) => void } = new EventTarget()
  onload: (() => void) | null = null
  onerror: ((error: Event) => void) | null = null
  method = ''
  url = ''
  status = 0
  responseText = ''
  aborted = false
  body: Body = null
  headers: Record<string, string> = {}
  private answered: Record<string, string> = {}

  open(method: string, url: string) {
    this.method = method
    this.url = url
  }
  setRequestHeader(name: string, value: string) {
    this.headers[name] = value
  }
  getResponseHeader(name: string): string | null {
    return this.answered[name] ?? null
  }
  send(body: Body) {
    this.body = body
  }
  abort() {
    this.aborted = true
  }
  progress(loaded: number, total: number) {
    if (this.aborted) return
    const event = Object.assign(new Event('progress'), { lengthComputable: true, loaded, total })
    this.upload.onprogress?.(event)
    this.upload.dispatchEvent(event)
  }
  answer(status: number, body: unknown, headers: Record<string, string> = {}) {
    if (this.aborted) return
    this.status = status
    this.answered = headers
    this.responseText = body === null ? '' : JSON.stringify(body)
    this.onload?.()
    this.dispatchEvent(new Event('load'))
  }
  fail() {
    if (this.aborted) return
    this.onerror?.(new Event('error'))
    this.dispatchEvent(new Event('error'))
  }
}

import { commonWords } from '@/strings/common'

/** What went wrong, in the server's own words where it had any (RFC 9457 problem documents). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** 0 when no answer came at all. */
  readonly status: number
  /** The last part of the problem's `type`, such as `duplicate-model`. */
  readonly kind: string
  readonly title: string
  readonly requestId: string | null
  /** The model that already has these bytes (409 duplicate-model). */
  readonly existingId: string | null

  constructor(options: {
    status: number
    kind: string
    title: string
    detail: string
    requestId?: string | null
    existingId?: string | null
  }) {
    super(options.detail)
    this.status = options.status
    this.kind = options.kind
    this.title = options.title
    this.requestId = options.requestId ?? null
    this.existingId = options.existingId ?? null
  }
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value : null

/** Turns an answer that is not a success into an ApiError, whatever its body is. */
export function parseProblem(status: number, body: string): ApiError {
  let problem: Record<string, unknown> = {}
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) problem = parsed as Record<string, unknown>
  } catch (error) {
    // A proxy's HTML page or an empty body: the status code is then all that is known.
    if (!(error instanceof SyntaxError)) throw error
  }
  const title = text(problem.title) ?? commonWords.errors.status(status)
  return new ApiError({
    status,
    kind: text(problem.type)?.split('/').pop() ?? 'unknown',
    title,
    detail: text(problem.detail) ?? title,
    requestId: text(problem.request_id),
    existingId: text(problem.existing_id),
  })
}

export function unreachable(): ApiError {
  return new ApiError({
    status: 0,
    kind: 'unreachable',
    title: commonWords.errors.unreachable,
    detail: commonWords.errors.noAnswer,
  })
}

/** The sentence to show for any thrown value. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The server asks for a token, and this browser has no valid session. */
export const isSignedOut = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 401

export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404

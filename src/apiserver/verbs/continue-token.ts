import { badRequest } from '../../api/errors/api-error.ts'

/** Where a list goes on: after which key, and at which revision. -1: at the newest, since the first page's is gone. */
export interface Continuation {
  readonly after: string
  readonly revision: number
}

/** Opaque to clients. */
export function continueToken({ after, revision }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: after })).toString('base64url')
}

/** Reads what `continueToken` made. */
export function parseContinueToken(token: string): Continuation {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    throw invalidToken('encoding error')
  }
  if (typeof value !== 'object' || value === null) throw invalidToken('encoding error')
  const { v, rv, start } = value as { v?: unknown; rv?: unknown; start?: unknown }
  if (v !== 'meta.k8s.io/v1') throw invalidToken('version is not recognized')
  if (
    typeof rv !== 'number' ||
    !Number.isSafeInteger(rv) ||
    rv === 0 ||
    rv < -1 ||
    typeof start !== 'string' ||
    start === ''
  )
    throw invalidToken('incorrect encoded start resourceVersion or key')
  // A token that was made up must not lead out of what is listed.
  if (start.split('/').some((part) => part === '..' || part === '.')) throw invalidToken('invalid continue token')
  return { after: start, revision: rv }
}

const invalidToken = (why: string) => badRequest(`continue key is not valid: ${why}`)

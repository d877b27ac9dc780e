import type { Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nameOf } from '../../client/object.ts'

/** What a bootstrap token's Secret says. */
export interface BootstrapToken {
  readonly id: string
  readonly secret: string
  /** Undefined: never. NaN: cannot be read, so the token is not to be trusted. */
  readonly expiresMs: number | undefined
  readonly signs: boolean
}

const type = 'bootstrap.kubernetes.io/token'

/** Reads a bootstrap token; undefined when the Secret holds none. */
export function bootstrapTokenOf(object: Frozen<Secret>): BootstrapToken | undefined {
  if (object.type !== type) return undefined
  const text = (key: string) => Buffer.from(String(object.data?.[key] ?? ''), 'base64').toString()
  const id = text('token-id')
  const secret = text('token-secret')
  if (!/^[a-z0-9]{6}$/.test(id) || !/^[a-z0-9]{16}$/.test(secret) || nameOf(object) !== `bootstrap-token-${id}`)
    return undefined
  const expiration = text('expiration')
  return {
    id,
    secret,
    expiresMs: expiration === '' ? undefined : Date.parse(expiration),
    signs: text('usage-bootstrap-signing') === 'true',
  }
}

/** The token's time is over. */
export const isExpired = ({ expiresMs }: BootstrapToken, nowMs: number): boolean =>
  expiresMs !== undefined && !(expiresMs > nowMs)

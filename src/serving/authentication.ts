import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { tokenReviews } from '../api/generated/resources.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { Expiring } from './expiring.ts'
import type { RequestUser } from './user.ts'

/** What credentials say: a user, that they are wrong, or nothing, since there are none. */
export type Credentials = RequestUser | 'refused' | undefined

/** How it is found out. */
export interface AuthenticationOptions {
  /** Asked who a token belongs to. Absent: tokens are nobody's business, as if there were none. */
  readonly client: Client | undefined
  readonly clock: Clock
  /** How long an answer is remembered. */
  readonly tokenTtlMs: number
}

/** Finds out who makes a request: by the client certificate of an authority that the listener knows, or by a bearer token that the API server knows. */
export function newAuthentication({
  client,
  clock,
  tokenTtlMs,
}: AuthenticationOptions): (message: IncomingMessage) => Promise<Credentials> {
  const known = new Expiring<RequestUser | 'refused'>(clock)
  const ofToken = async (reviewer: Client, token: string): Promise<RequestUser | 'refused'> => {
    // Tokens are secrets: they are remembered by what cannot be turned back.
    const key = createHash('sha256').update(token).digest('base64')
    const found = known.get(key) ?? (await review(reviewer, token)) ?? 'refused'
    known.set(key, found, tokenTtlMs)
    return found
  }
  return async (message) => {
    const certified = certificateUser(message.socket as TLSSocket)
    if (typeof certified === 'object') return certified
    const token = /^Bearer +(\S+) *$/i.exec(message.headers.authorization ?? '')?.[1]
    return token && client ? ofToken(client, token) : certified
  }
}

function certificateUser(socket: TLSSocket): Credentials {
  const { subject } = socket.getPeerCertificate() as { subject?: Record<string, string | string[] | undefined> }
  if (!subject) return undefined
  const { CN: name, O: organizations } = subject
  if (!socket.authorized || typeof name !== 'string' || name === '') return 'refused'
  const groups = organizations === undefined ? [] : [organizations].flat()
  return { name, uid: '', groups: [...groups, 'system:authenticated'], extra: {} }
}

async function review(client: Client, token: string): Promise<RequestUser | undefined> {
  const { status } = await client.create(tokenReviews, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token },
  })
  const { username, uid = '', groups = [], extra = {} } = status?.user ?? {}
  return status?.authenticated && username ? { name: username, uid, groups, extra } : undefined
}

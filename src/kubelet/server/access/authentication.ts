import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { tokenReviews } from '../../../api/generated/resources.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Client } from '../../../client/client.ts'
import type { KubeletUser } from '../request.ts'
import { Expiring } from './expiring.ts'

/** authentication.webhook.cacheTTL */
const tokenTtlMs = 120_000

/** Finds out who makes a request: by the client certificate of the cluster's CA, or by a bearer token that the API server knows. Undefined: nobody. */
export function newAuthentication({ client, clock }: { readonly client: Client; readonly clock: Clock }): (message: IncomingMessage) => Promise<KubeletUser | undefined> {
  const known = new Expiring<KubeletUser | 'nobody'>(clock)
  return async (message) => {
    const user = certificateUser(message.socket as TLSSocket)
    if (user) return user
    const token = /^Bearer +(\S+) *$/i.exec(message.headers.authorization ?? '')?.[1]
    if (!token) return undefined
    // Tokens are secrets: they are remembered by what cannot be turned back.
    const key = createHash('sha256').update(token).digest('base64')
    let found = known.get(key)
    if (found === undefined) {
      found = (await review(client, token)) ?? 'nobody'
      known.set(key, found, tokenTtlMs)
    }
    return found === 'nobody' ? undefined : found
  }
}

function certificateUser(socket: TLSSocket): KubeletUser | undefined {
  if (!socket.authorized) return undefined
  const { CN: name, O: organizations } = (socket.getPeerCertificate() as { subject?: Record<string, string | string[] | undefined> }).subject ?? {}
  if (typeof name !== 'string' || name === '') return undefined
  const groups = organizations === undefined ? [] : [organizations].flat()
  return { name, uid: '', groups: [...groups, 'system:authenticated'], extra: {} }
}

async function review(client: Client, token: string): Promise<KubeletUser | undefined> {
  const { status } = await client.create(tokenReviews, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } })
  const { username, uid = '', groups = [], extra = {} } = status?.user ?? {}
  return status?.authenticated && username ? { name: username, uid, groups, extra } : undefined
}

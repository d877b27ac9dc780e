import { serviceAccounts } from '../../api/generated/resources.ts'
import type { TokenRequest } from '../../api/generated/types/authentication-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import { msOf } from '../../client/object.ts'

/** A token for whom, for how long. */
export interface TokenWish {
  readonly pod: Frozen<Pod>
  readonly audience: string | undefined
  readonly expirationSeconds: number
}

interface Issued {
  readonly token: string
  readonly renewAtMs: number
  readonly expiresMs: number
}

/** A token is renewed when it has lived for this part of its life, or this long, whichever is sooner; spread, so that not all are renewed at once. */
const lifePart = 0.8
const lifeMaxMs = 24 * 3_600_000
const spreadMs = 10_000

/** Service account tokens bound to pods; kept in memory, renewed in time. */
export class TokenSource {
  readonly #client: Client
  readonly #deps: Deps
  readonly #issued = new Map<string, Issued>()

  constructor(client: Client, deps: Deps) {
    this.#client = client
    this.#deps = deps
  }

  /** A token that is good for a while. When it cannot be renewed, the old one serves until its end. */
  async token(wish: TokenWish): Promise<string> {
    const { pod, audience, expirationSeconds } = wish
    const key = `${pod.metadata.uid} ${pod.spec?.serviceAccountName} ${audience ?? ''} ${expirationSeconds}`
    const known = this.#issued.get(key)
    const nowMs = this.#deps.clock.now()
    if (known && nowMs < known.renewAtMs) return known.token
    try {
      const issued = await this.#request(wish)
      this.#issued.set(key, issued)
      return issued.token
    } catch (error) {
      if (!known || nowMs >= known.expiresMs)
        throw new Error(`failed to fetch token: ${(error as Error).message}`, { cause: error })
      this.#deps.log.warn(
        { err: error, pod: pod.metadata.name },
        'a service account token could not be renewed; the old one serves on',
      )
      return known.token
    }
  }

  /** The pod is gone. */
  forget(uid: string): void {
    for (const key of this.#issued.keys()) if (key.startsWith(`${uid} `)) this.#issued.delete(key)
  }

  async #request({ pod, audience, expirationSeconds }: TokenWish): Promise<Issued> {
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
      },
    }
    const key = { namespace: pod.metadata.namespace, name: pod.spec?.serviceAccountName || 'default' }
    const askedMs = this.#deps.clock.now()
    const { status } = await this.#client.createSubresource<TokenRequest>(serviceAccounts, key, 'token', request)
    if (!status?.token) throw new Error('the API server answered without a token')
    const expiresMs = msOf(status.expirationTimestamp ?? '')
    const lifeMs = Math.min((expiresMs - askedMs) * lifePart, lifeMaxMs)
    return { token: status.token, expiresMs, renewAtMs: askedMs + lifeMs - this.#deps.random.number() * spreadMs }
  }
}

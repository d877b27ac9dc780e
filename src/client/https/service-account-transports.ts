import { ApiError, isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { namespaces, serviceAccounts } from '../../api/generated/resources.ts'
import type { TokenRequest } from '../../api/generated/types/authentication-v1.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../client.ts'
import { msOf } from '../object.ts'
import type { Transport, TransportRequest } from '../transport.ts'

/** How service accounts' tokens are got. */
export interface ServiceAccountOptions {
  readonly deps: Deps
  /** May make service accounts of the namespace, and their tokens. */
  readonly client: Client
  /** Carries everybody's requests, with the token of who asks. */
  readonly transport: Transport
  readonly namespace: string
}

/** How long a token is asked for, and the part of its life after which the next one is. A life that seems shorter than the least is a clock that is wrong. */
const expirationSeconds = 3600
const lifePart = 0.8
const lifeLeastMs = 600_000

/** Attempts to get a token, and the pause after the first, doubled each time. */
const attemptsMax = 4
const pauseMs = 500

/** Transports that act as service accounts, by TokenRequest: what upstream's controller manager does with --use-service-account-credentials. An account that is not there is made. */
export function serviceAccountTransports(options: ServiceAccountOptions): (name: string) => Transport {
  return (name) => new ServiceAccountTransport(options, name)
}

interface Token {
  readonly text: string
  readonly renewMs: number
}

class ServiceAccountTransport implements Transport {
  readonly #options: ServiceAccountOptions
  readonly #name: string
  /** The one in use, or being asked for: everybody waits for the same. */
  #token: Promise<Token> | undefined

  constructor(options: ServiceAccountOptions, name: string) {
    this.#options = options
    this.#name = name
  }

  async send(request: TransportRequest, signal?: AbortSignal): Promise<unknown> {
    const token = await this.#current()
    try {
      return await this.#options.transport.send({ ...request, token }, signal)
    } catch (error) {
      this.#forgetIfRefused(error)
      throw error
    }
  }

  async *watch(request: TransportRequest, signal: AbortSignal) {
    const token = await this.#current()
    try {
      yield* this.#options.transport.watch({ ...request, token }, signal)
    } catch (error) {
      this.#forgetIfRefused(error)
      throw error
    }
  }

  /** What is shared stays open. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  async #current(): Promise<string> {
    for (;;) {
      const asked = (this.#token ??= this.#request())
      try {
        const { text, renewMs } = await asked
        if (this.#options.deps.clock.now() < renewMs) return text
      } catch (error) {
        if (this.#token === asked) this.#token = undefined
        throw error
      }
      if (this.#token === asked) this.#token = undefined
    }
  }

  /** The account was made anew, or the keys were: the next request asks for a token that is good. */
  #forgetIfRefused(error: unknown): void {
    if (error instanceof ApiError && error.code === 401) this.#token = undefined
  }

  async #request(): Promise<Token> {
    const { deps, namespace } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#requestOnce()
      } catch (error) {
        if (attempt === attemptsMax)
          throw new Error(`failed to get token for ${namespace}/${this.#name}: ${(error as Error).message}`, {
            cause: error,
          })
        deps.log.debug({ err: error, account: this.#name }, 'a token could not be got; it is tried again')
        await deps.clock.sleep(pauseMs * 2 ** (attempt - 1))
      }
    }
  }

  async #requestOnce(): Promise<Token> {
    const { client, deps, namespace } = this.#options
    await this.#ensureAccount()
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: [], expirationSeconds },
    } satisfies TokenRequest
    const askedMs = deps.clock.now()
    const { status } = await client.createSubresource<TokenRequest>(
      serviceAccounts,
      { namespace, name: this.#name },
      'token',
      request,
    )
    if (!status?.token) throw new Error('the API server answered without a token')
    const lifeMs = Math.max(lifeLeastMs, msOf(status.expirationTimestamp ?? '') - askedMs)
    return { text: status.token, renewMs: askedMs + lifeMs * lifePart }
  }

  async #ensureAccount(): Promise<void> {
    const { client, namespace } = this.#options
    const key = { namespace, name: this.#name }
    try {
      await client.get(serviceAccounts, key)
    } catch (error) {
      if (!isNotFound(error)) throw error
      // Who may not make namespaces finds it there.
      await client.create(namespaces, { metadata: { name: namespace } }).catch(() => {})
      await client.create(serviceAccounts, { metadata: key }).catch((failure: unknown) => {
        if (!isAlreadyExists(failure)) throw failure
      })
    }
  }
}

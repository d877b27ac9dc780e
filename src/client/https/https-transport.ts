import { createSecureContext } from 'node:tls'
import type { KubernetesObject } from '../../api/resource.ts'
import { ApiError } from '../../api/errors/api-error.ts'
import type { Status } from '../../api/generated/types/meta-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Counter, Histogram, Metrics } from '../../base/metrics.ts'
import type { Transport, TransportRequest, WatchEvent } from '../transport.ts'
import { StreamedAnswer, WholeAnswer, type Answer } from './answers.ts'
import { Connections, type Exchange, type Sent } from './connections.ts'
import { fileText } from './file-text.ts'
import { Lines } from './lines.ts'
import { errorOf, parsed, trim } from './read-answer.ts'

/** How to reach an API server, and as whom. */
export interface HttpsTransportOptions {
  /** 'https://127.0.0.1:6443'; `http` only for servers on the loopback. */
  readonly server: string
  /** Certificates that the server's must chain to, PEM. Absent: the system's. */
  readonly ca?: string | undefined
  /** Client certificate and key, PEM. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The same as file names, read anew when they change: certificates renew themselves. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly token?: string | undefined
  /** A file with a token, read anew each minute: service account tokens rotate. */
  readonly tokenFile?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The name to check the server's certificate against when it is not the address's. */
  readonly serverName?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
  /** 'kube-scheduler/v1.35.0': also where the server takes the field manager from. */
  readonly userAgent?: string | undefined
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] } | undefined
  readonly deps: { readonly clock: Clock; readonly metrics?: Metrics }
}

/** How many times a request that the server turned away (429, 503 with Retry-After) is sent again. Upstream's client: 10. */
const retriesMax = 10
/** A watch that the server should have ended by itself is given up this long afterwards: the connection is dead. */
const watchGraceMs = 30_000
/** No answer within this time: the server hangs. */
const answerTimeoutMs = 60_000
const durationBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/** A transport over HTTP/1.1 and TLS with kept-alive connections; a watch has a connection of its own. */
export function httpsTransport(options: HttpsTransportOptions): Transport {
  return new HttpsTransport(options)
}

/** What is asked for, by whom, over which connections. */
interface Opened {
  readonly connections: Connections
  readonly text: string
}

class HttpsTransport implements Transport {
  readonly #options: HttpsTransportOptions
  readonly #server: URL
  readonly #secure: boolean
  readonly #pathPrefix: string
  /** Headers that every request has. */
  readonly #usualHeaders: string
  /** Who asks, when there is no token. */
  readonly #basic: string | undefined
  readonly #requests: Counter | undefined
  readonly #durations: Histogram | undefined
  #connections: Connections | undefined
  /** The client certificate of these connections. */
  #cert: string | undefined
  readonly #closed = new AbortController()

  constructor(options: HttpsTransportOptions) {
    this.#options = options
    this.#server = new URL(options.server)
    this.#secure = this.#server.protocol === 'https:'
    this.#pathPrefix = this.#server.pathname.replace(/\/$/, '')
    this.#usualHeaders = usualHeaders(this.#server.host, options)
    const { username, password = '' } = options
    if (username !== undefined) this.#basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const { metrics } = options.deps
    this.#requests = metrics?.counter(
      'rest_client_requests_total',
      'Number of HTTP requests, partitioned by status code, method, and host.',
    )
    this.#durations = metrics?.histogram(
      'rest_client_request_duration_seconds',
      'Request latency in seconds. Broken down by verb, and host.',
      durationBuckets,
    )
  }

  async send(request: TransportRequest, signal?: AbortSignal): Promise<unknown> {
    const { clock } = this.#options.deps
    for (let attempt = 0; ; attempt++) {
      const startedMs = clock.now()
      const { code, headers, text } = await this.#whole(request, signal)
      this.#count(request, code, startedMs)
      if (code < 400) return parsed(text, request)
      const error = errorOf(code, text)
      const retryAfterSeconds = Number(headers.get('retry-after'))
      // Only what the server refused to begin is sent again.
      const refused = (code === 429 || code === 503) && retryAfterSeconds > 0
      if (!refused || attempt >= retriesMax) throw error
      await clock.sleep(retryAfterSeconds * 1000, this.#until(signal))
    }
  }

  async *watch(request: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const overdue = new Error('the watch lasted longer than was asked for')
    let cancelGuard = () => {}
    let sent: Sent | undefined
    const until = this.#until(signal)
    const abort = () => sent?.abort(until.reason as Error)
    try {
      const stream = new StreamedAnswer()
      sent = stream.sent = await this.#open(request, stream, until)
      until.addEventListener('abort', abort)
      const code = await stream.code
      this.#count(request, code)
      if (code >= 400) throw errorOf(code, await stream.text())
      const timeoutSeconds = Number(request.query?.['timeoutSeconds'] ?? 0)
      if (timeoutSeconds > 0)
        cancelGuard = this.#options.deps.clock.after(timeoutSeconds * 1000 + watchGraceMs, () => sent?.abort(overdue))
      const lines = new Lines()
      for (let pieces = await stream.next(); pieces; pieces = await stream.next())
        for (const piece of pieces)
          for (const line of lines.of(piece)) {
            if (until.aborted) return
            yield eventOf(line, request)
          }
    } catch (error) {
      if (until.aborted || error === overdue || isPrematureEnd(error)) return
      throw error
    } finally {
      cancelGuard()
      until.removeEventListener('abort', abort)
      sent?.abort(overdue)
    }
  }

  close(): Promise<void> {
    const reason = new Error('the client is closed')
    this.#closed.abort(reason)
    this.#connections?.close(reason)
    return Promise.resolve()
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal
  }

  #count({ method }: TransportRequest, code: number, startedMs?: number): void {
    const { host } = this.#server
    this.#requests?.add({ code: String(code), host, method })
    if (startedMs !== undefined)
      this.#durations?.observe((this.#options.deps.clock.now() - startedMs) / 1000, { host, verb: method })
  }

  async #whole(request: TransportRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const whole = new WholeAnswer()
    const sent = await this.#open(request, whole, signal)
    const abort = signal && (() => sent.abort(signal.reason as Error))
    if (abort) signal.addEventListener('abort', abort)
    const slow =
      request.method === 'GET'
        ? this.#options.deps.clock.after(answerTimeoutMs, () =>
            sent.abort(new Error(`no answer from ${this.#options.server} within ${answerTimeoutMs / 1000} s`)),
          )
        : undefined
    try {
      return await whole.answer
    } finally {
      slow?.()
      if (abort) signal.removeEventListener('abort', abort)
    }
  }

  /** Sends a request; the exchange hears of the answer. */
  async #open(request: TransportRequest, exchange: Exchange, signal: AbortSignal | undefined): Promise<Sent> {
    const { connections, text } = this.#given(request) ?? (await this.#read(request))
    signal?.throwIfAborted()
    this.#closed.signal.throwIfAborted()
    return connections.send(text, exchange)
  }

  /** The request when no file has to be looked at for it. */
  #given(request: TransportRequest): Opened | undefined {
    const { cert, certFile, key, keyFile, token, tokenFile } = this.#options
    if ((certFile && !cert) || (keyFile && !key) || (tokenFile && !token && !request.token)) return undefined
    return { connections: this.#connectionsWith(cert, key), text: this.#textOf(request, request.token ?? token) }
  }

  async #read(request: TransportRequest): Promise<Opened> {
    const { deps, cert, certFile, key, keyFile, token, tokenFile } = this.#options
    const read = (file: string | undefined) => (file === undefined ? undefined : fileText(file, deps.clock))
    const currentCert = cert ?? (await read(certFile))
    const currentKey = key ?? (await read(keyFile))
    const currentToken = request.token ?? token ?? (await read(tokenFile))?.trim()
    return {
      connections: this.#connectionsWith(currentCert, currentKey),
      text: this.#textOf(request, currentToken),
    }
  }

  /** The connections that fit the client certificate as it is now; older ones end with what they carry. */
  #connectionsWith(cert: string | undefined, key: string | undefined): Connections {
    if (this.#connections && this.#cert === cert) return this.#connections
    const { deps, ca, serverName, insecureSkipVerify } = this.#options
    const connections = new Connections({
      clock: deps.clock,
      host: this.#server.hostname.replace(/^\[|\]$/g, ''),
      port: Number(this.#server.port) || (this.#secure ? 443 : 80),
      ...(this.#secure && { tls: { context: createSecureContext({ ca, cert, key }), serverName, insecureSkipVerify } }),
    })
    this.#connections?.retire()
    this.#connections = connections
    this.#cert = cert
    return connections
  }

  #textOf(request: TransportRequest, token: string | undefined): string {
    const { method, path, query, contentType = 'application/json', accept = 'application/json' } = request
    const search = query && new URLSearchParams(query).toString()
    const target = `${this.#pathPrefix}${path}${search ? `?${search}` : ''}`
    if (/[\0-\x20\x7f]/.test(target)) throw new TypeError(`a path has characters that it must not: ${target}`)
    let head = `${method} ${target} HTTP/1.1\r\n${this.#usualHeaders}${header('accept', accept)}`
    const authorization = token ? `Bearer ${token}` : this.#basic
    if (authorization) head += header('authorization', authorization)
    if (request.body === undefined) return method === 'GET' ? `${head}\r\n` : `${head}content-length: 0\r\n\r\n`
    const body = JSON.stringify(request.body)
    return `${head}${header('content-type', contentType)}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }
}

function usualHeaders(host: string, { userAgent = 'kubernode', impersonate }: HttpsTransportOptions): string {
  return [
    header('host', host),
    header('user-agent', userAgent),
    impersonate ? header('impersonate-user', impersonate.user) : '',
    ...(impersonate?.groups ?? []).map((group) => header('impersonate-group', group)),
  ].join('')
}

function header(name: string, value: string): string {
  // A line end in a token would begin a header of its own.
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw new TypeError(`header ${name} has characters that it must not`)
  return `${name}: ${value}\r\n`
}

function eventOf(line: string, request: TransportRequest): WatchEvent {
  const event = JSON.parse(line) as { type: string; object: KubernetesObject }
  if (request.trimmed) trim(event.object)
  if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status)
  return event as WatchEvent
}

/** The connection ended in the middle of a stream: for a watch the same as its end. */
const isPrematureEnd = (error: unknown): boolean =>
  error instanceof Error &&
  ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '') &&
  !(error instanceof ApiError)

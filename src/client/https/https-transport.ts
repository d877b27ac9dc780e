import { Agent, request as httpsRequest } from 'node:https'
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { ApiError } from '../../api/errors/api-error.ts'
import type { Status } from '../../api/generated/types/meta-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Transport, TransportRequest, WatchEvent } from '../transport.ts'
import { fileText } from './file-text.ts'
import { lines } from './lines.ts'
import { retire } from './retire-agent.ts'

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
  /** A file with a token, read anew each minute: service account tokens rotate. It goes before `token`. */
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
const keepAliveMs = 30_000
/** No answer head within this time: the server hangs, or what was sent never reached it and the kernel goes on trying for a quarter of an hour. */
const answerTimeoutMs = 60_000
/** The same for writes, which may wait for several webhooks. */
const writeTimeoutMs = 120_000
const answerBytesMax = 1 << 30
const durationBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/** A transport over HTTP/1.1 and TLS with kept-alive connections; a watch has a connection of its own. */
export function httpsTransport(options: HttpsTransportOptions): Transport {
  return new HttpsTransport(options)
}

class HttpsTransport implements Transport {
  readonly #options: HttpsTransportOptions
  readonly #server: URL
  #agent: Agent | undefined
  /** The certificate and key with which it was made. */
  #agentMaterial = ''
  readonly #closed = new AbortController()

  constructor(options: HttpsTransportOptions) {
    this.#options = options
    this.#server = new URL(options.server)
  }

  async send(request: TransportRequest, signal?: AbortSignal): Promise<unknown> {
    const until = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal
    for (let attempt = 0; ; attempt++) {
      const startedMs = this.#options.deps.clock.now()
      const response = await this.#open(request, until)
      const text = await textOf(response).catch((error: unknown) => {
        throw until.aborted ? until.reason : error
      })
      const code = response.statusCode ?? 500
      this.#count(request, code, startedMs)
      if (code < 400) return parsed(text, request)
      const error = errorOf(code, text, response)
      const retryAfterSeconds = Number(response.headers['retry-after'])
      // Only what the server refused to begin is sent again.
      const refused = (code === 429 || code === 503) && retryAfterSeconds > 0
      if (!refused || attempt >= retriesMax) throw error
      await this.#options.deps.clock.sleep(retryAfterSeconds * 1000, until)
    }
  }

  async *watch(request: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const until = AbortSignal.any([signal, this.#closed.signal])
    let response: IncomingMessage | undefined
    let cancelGuard = () => {}
    try {
      response = await this.#open(request, until)
      const code = response.statusCode ?? 500
      this.#count(request, code)
      if (code >= 400) throw errorOf(code, await textOf(response), response)
      const timeoutSeconds = Number(request.query?.['timeoutSeconds'] ?? 0)
      const stream = response
      if (timeoutSeconds > 0)
        cancelGuard = this.#options.deps.clock.after(timeoutSeconds * 1000 + watchGraceMs, () => stream.destroy())
      for await (const line of lines(response)) {
        const event = JSON.parse(line) as { type: string; object: KubernetesObject }
        if (request.trimmed) trim(event.object)
        if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status)
        yield event as WatchEvent
      }
    } catch (error) {
      if (until.aborted || isPrematureEnd(error)) return
      throw error
    } finally {
      cancelGuard()
      response?.destroy()
    }
  }

  #count({ method }: TransportRequest, code: number, startedMs?: number): void {
    const { clock, metrics } = this.#options.deps
    if (!metrics) return
    const { host } = this.#server
    metrics
      .counter('rest_client_requests_total', 'Number of HTTP requests, partitioned by status code, method, and host.')
      .add({ code: String(code), host, method })
    if (startedMs !== undefined)
      metrics
        .histogram(
          'rest_client_request_duration_seconds',
          'Request latency in seconds. Broken down by verb, and host.',
          durationBuckets,
        )
        .observe((clock.now() - startedMs) / 1000, { host, verb: method })
  }

  close(): Promise<void> {
    this.#closed.abort(new Error('the client is closed'))
    this.#agent?.destroy()
    return Promise.resolve()
  }

  /** Sends the request; resolves with the answer's head. */
  async #open(request: TransportRequest, signal: AbortSignal): Promise<IncomingMessage> {
    signal.throwIfAborted()
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
    const headers = await this.#headers(request, body)
    const agent = await this.#currentAgent()
    const secure = this.#server.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const make = secure ? httpsRequest : httpRequest
      const sent: ClientRequest = make({
        host: this.#server.hostname.replace(/^\[|\]$/g, ''),
        port: this.#server.port || (secure ? 443 : 80),
        path: pathOf(this.#server, request),
        method: request.method,
        headers,
        ...(secure && { agent }),
      })
      // Not the `signal` option: that one costs several listeners and an error object a request.
      const abort = () => sent.destroy(signal.reason as Error)
      signal.addEventListener('abort', abort)
      sent.on('close', () => signal.removeEventListener('abort', abort))
      const limitMs = request.method === 'GET' ? answerTimeoutMs : writeTimeoutMs
      const cancelLimit = this.#options.deps.clock.after(limitMs, () =>
        sent.destroy(new Error(`no answer from ${this.#options.server} within ${limitMs / 1000} s`)),
      )
      sent.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs))
      sent.on('response', (response) => {
        cancelLimit()
        resolve(response)
      })
      sent.on('error', (error) => {
        cancelLimit()
        reject(signal.aborted ? signal.reason : error)
      })
      sent.end(body)
    })
  }

  async #headers(request: TransportRequest, body: Buffer | undefined): Promise<Record<string, string | string[]>> {
    const { userAgent, impersonate, username, password } = this.#options
    const token = request.token ?? (await this.#token())
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': userAgent ?? 'kubernode',
      ...(body && { 'content-type': request.contentType ?? 'application/json', 'content-length': String(body.length) }),
      ...(token
        ? { authorization: `Bearer ${token}` }
        : username !== undefined && {
            authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`,
          }),
      ...(impersonate && {
        'impersonate-user': impersonate.user,
        ...(impersonate.groups?.length && { 'impersonate-group': [...impersonate.groups] }),
      }),
    }
  }

  /** The token of the file, which changes; one that was given besides does until the file can be read. */
  async #token(): Promise<string | undefined> {
    const { token, tokenFile, deps } = this.#options
    if (!tokenFile) return token
    try {
      return (await fileText(tokenFile, deps.clock)).trim()
    } catch (error) {
      if (token === undefined) throw error
      return token
    }
  }

  /** The agent that fits the client certificate as it is now. */
  async #currentAgent(): Promise<Agent> {
    const { deps, certFile, keyFile } = this.#options
    const cert = this.#options.cert ?? (certFile && (await fileText(certFile, deps.clock)))
    const key = this.#options.key ?? (keyFile && (await fileText(keyFile, deps.clock)))
    const material = `${cert ?? ''}\n${key ?? ''}`
    if (this.#agent && this.#agentMaterial === material) return this.#agent
    let secureContext: SecureContext
    try {
      secureContext = createSecureContext({ ca: this.#options.ca, cert, key })
    } catch (error) {
      // One file is new and the other old: both are read again soon.
      if (this.#agent) return this.#agent
      throw error
    }
    if (this.#agent) retire(this.#agent)
    this.#agentMaterial = material
    this.#agent = new Agent({
      keepAlive: true,
      // One for all connections: making it parses the certificates, which costs more than the rest of a connection.
      secureContext,
      keepAliveMsecs: keepAliveMs,
      maxSockets: Infinity,
      maxFreeSockets: 64,
      scheduling: 'lifo',
      ...(this.#options.ca && { ca: this.#options.ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(this.#options.serverName && { servername: this.#options.serverName }),
      ...(this.#options.insecureSkipVerify && { rejectUnauthorized: false }),
    })
    return this.#agent
  }
}

function pathOf(server: URL, request: TransportRequest): string {
  const prefix = server.pathname === '/' ? '' : server.pathname.replace(/\/$/, '')
  const query = request.query && new URLSearchParams(request.query).toString()
  return `${prefix}${request.path}${query ? `?${query}` : ''}`
}

function textOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > answerBytesMax)
        response.destroy(new Error(`the API server's answer is larger than ${answerBytesMax} bytes`))
      else chunks.push(chunk)
    })
    response.on('end', () => resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)).toString()))
    response.on('error', reject)
  })
}

interface ListAnswer {
  kind?: string
  apiVersion?: string
  items?: KubernetesObject[]
}

/** The answer as an object. List items come without `kind` and `apiVersion`: they get the list's. */
function parsed(text: string, request: TransportRequest): Frozen<KubernetesObject> | string {
  if (request.accept && !request.accept.includes('json')) return text
  let answer: ListAnswer
  try {
    answer = JSON.parse(text) as ListAnswer
  } catch {
    // Health checks and metrics answer in plain text.
    return text
  }
  if (answer.kind?.endsWith('List') && Array.isArray(answer.items)) {
    const kind = answer.kind.slice(0, -'List'.length)
    for (const item of answer.items) {
      if (request.trimmed) trim(item)
      item.kind ??= kind
      if (answer.apiVersion !== undefined) item.apiVersion ??= answer.apiVersion
    }
  }
  return answer as Frozen<KubernetesObject>
}

/** Leaves out what no cache needs. The object was just read from the wire, so nobody else has it. */
function trim({ metadata }: KubernetesObject): void {
  if (metadata) delete metadata.managedFields
}

function errorOf(code: number, text: string, response: IncomingMessage): ApiError {
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new ApiError({ ...status, code: status.code ?? code })
  } catch {
    // A proxy in between, or no API server at all: the text is all there is.
  }
  const reasons: Record<number, string> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    409: 'Conflict',
    410: 'Gone',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  }
  const message = text.trim().slice(0, 2048) || response.statusMessage || `HTTP ${code}`
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[code] ?? '',
    code,
  })
}

/** The connection ended in the middle of a stream: for a watch the same as its end. */
const isPrematureEnd = (error: unknown): boolean =>
  error instanceof Error &&
  ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '') &&
  !(error instanceof ApiError)

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { ApiError, serviceUnavailable } from '../../api/errors/api-error.ts'
import {
  DialError,
  dialFailure,
  forwardUpgrade,
  tlsOptions,
  UpgradeError,
  type Forwarding,
  type Target,
} from '../../streaming/upgrade/forward.ts'
import { webSocketProtocols } from '../../streaming/upgrade/upgrade.ts'
import type { Exchange } from '../http/exchange.ts'
import type { UpgradeExchange } from '../http/upgrade-exchange.ts'

/** What is sent on. */
export interface Forwarded {
  readonly target: Target
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Whose request it is: when the client goes away, nobody waits for the answer any more. */
  readonly exchange?: Exchange | undefined
}

/** Headers that are about one connection only. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** Headers that a `Connection` header names: they are about that connection, too. */
const namedBy = (connection: string | undefined): ReadonlySet<string> =>
  new Set(connection?.split(',').map((name) => name.trim().toLowerCase()))

/** Headers that say who the client is towards us. */
const isIdentity = (name: string): boolean =>
  name === 'authorization' || name.startsWith('impersonate-') || name.startsWith('x-remote-')

/** Headers that are not sent on with a connection that becomes something else, whose `Connection` and `Upgrade` are meant for the other side. */
const identityHeaders = (exchange: Exchange): ReadonlySet<string> =>
  new Set(Object.keys(exchange.headers()).filter((name) => isIdentity(name) || name === webSocketProtocol))

const webSocketProtocol = 'sec-websocket-protocol'

/** The client's headers, without those that are not to be sent on. */
export function forwardedHeaders(exchange: Exchange): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {}
  const headers = exchange.headers()
  const named = namedBy(exchange.header('connection'))
  for (const name in headers) {
    if (name.startsWith(':') || hopByHop.has(name) || named.has(name) || isIdentity(name)) continue
    const value = headers[name]
    if (value !== undefined) out[name] = typeof value === 'string' ? value : value.length === 1 ? value[0]! : [...value]
  }
  return { ...out, ...clientHeaders(exchange) }
}

/** Whom the client means, and where it is: for requests and upgrades alike. */
function clientHeaders(exchange: Exchange): Record<string, string> {
  const host = exchange.header('host')
  const before = exchange.header('x-forwarded-for')
  return {
    ...(host !== undefined && { host }),
    'x-forwarded-for': before ? `${before}, ${exchange.peer.address}` : exchange.peer.address,
  }
}

/** How long a server may take to take the connection. */
const connectTimeoutMs = 30_000

/** Sends a request on and resolves with the head of the answer. Rejects with what `failed` makes of it when nobody answers. `body` is sent as it comes. */
export function sendOn(
  { target, method, path, headers, exchange }: Forwarded,
  body?: NodeJS.ReadableStream,
  failed: (why: string) => Error = unreachable,
): Promise<IncomingMessage> {
  const { origin, tls } = target
  const secure = origin.protocol === 'https:'
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || (secure ? 443 : 80)
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)({
      host,
      port,
      method,
      path,
      headers: headers as Record<string, string | string[]>,
      agent: false,
      ...(secure && tlsOptions(tls)),
    })
    outgoing.once('socket', (socket) => {
      socket.setTimeout(connectTimeoutMs, () =>
        socket.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' })),
      )
      socket.once('connect', () => socket.setTimeout(0))
    })
    outgoing.once('response', resolve)
    exchange?.onClose(() => outgoing.destroy())
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(failed(dialFailure(error, host, port))))
    if (!body) return void outgoing.end()
    body.on('error', () => outgoing.destroy())
    body.pipe(outgoing)
  })
}

/** Sends a request for an upgrade on, for whoever asked, and gives the connection away. Rejects with what `failed` makes of a server that cannot be reached. */
export async function giveUpgrade(
  exchange: UpgradeExchange,
  forwarding: Forwarding,
  failed: (why: string) => Error = unreachable,
): Promise<void> {
  const protocols = webSocketProtocols(exchange.request)?.join(', ')
  const added = {
    ...clientHeaders(exchange),
    ...(protocols && { [webSocketProtocol]: protocols }),
    ...forwarding.added,
  }
  try {
    exchange.taken(await forwardUpgrade(exchange, { ...forwarding, without: identityHeaders(exchange), added }))
  } catch (error) {
    if (error instanceof DialError) throw failed(error.message)
    throw error instanceof UpgradeError ? plainFailure(error.message) : error
  }
}

/** 503 of what is behind a proxy. */
export const unreachable = (why: string): ApiError => serviceUnavailable(`error trying to reach service: ${why}`)

/** 500 of a kubelet that does not answer. */
export const plainFailure = (message: string): ApiError =>
  new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 })

/** Changes an answer on its way back. */
export interface Changes {
  /** Of a Location header. */
  readonly location?: (value: string) => string
  /** Of a whole page. */
  readonly html?: (text: string) => string
}

/** Pages above this size are given back as they are. */
const pageBytesMax = 16 << 20

/** Gives an answer on to the client, head and body, and stops it when the client goes. */
export async function giveBack(
  exchange: Exchange,
  answer: IncomingMessage,
  { location, html }: Changes = {},
): Promise<void> {
  const page = html && isPlainPage(answer) ? html : undefined
  const headers: string[] = []
  const named = namedBy(answer.headers.connection)
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i]!.toLowerCase()
    const value = answer.rawHeaders[i + 1]!
    if (hopByHop.has(name) || named.has(name) || (page && name === 'content-length')) continue
    headers.push(name, name === 'location' && location ? location(value) : value)
  }
  if (page && exchange.method !== 'HEAD') {
    const { whole, bytes } = await beginning(answer)
    if (whole) return exchange.respond(answer.statusCode ?? 502, headers, page(bytes.toString()))
    answer.unshift(bytes)
  }
  const writer = exchange.stream(answer.statusCode ?? 502, headers)
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (!writer.write(chunk)) await writer.drained()
      if (writer.closed) break
    }
  } catch {
    // The other side broke off: so do we.
    return exchange.abort()
  }
  writer.end()
}

/** A page, or its beginning when it is too large. */
async function beginning(answer: IncomingMessage): Promise<{ readonly whole: boolean; readonly bytes: Buffer }> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    parts.push(chunk)
    size += chunk.length
    if (size > pageBytesMax) return { whole: false, bytes: Buffer.concat(parts) }
  }
  return { whole: true, bytes: Buffer.concat(parts) }
}

const isPlainPage = ({ headers }: IncomingMessage): boolean =>
  headers['content-type']?.split(';')[0]?.trim() === 'text/html' &&
  headers['content-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) <= pageBytesMax

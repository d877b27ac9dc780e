import { request as httpRequest, STATUS_CODES, type IncomingMessage } from 'node:http'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { join, type Upgrade } from './upgrade.ts'

/** Who to connect to, and as whom. */
export interface Target {
  /** 'https://10.0.0.1:10250' and so on; the path is not looked at. */
  readonly origin: URL
  readonly tls?: TargetTls
}

/** How the other side is known, and who we are. PEM texts. */
export interface TargetTls {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Absent: its certificate is not checked. */
  readonly ca?: string | undefined
  /** The name that its certificate has to have, where that is not its address. */
  readonly servername?: string | undefined
}

/** Where an upgrade goes on. */
export interface Forwarding extends Target {
  /** Path and query there. */
  readonly path: string
  /** Default: the request's. */
  readonly method?: string
  /** Headers (lower case) that are not passed on, besides Host. */
  readonly without?: ReadonlySet<string>
  /** Headers (lower case) to add, or to put in the place of the request's. */
  readonly added?: Readonly<Record<string, string | readonly string[]>>
}

/** The other side did not switch, and said nothing that could be given back. */
export class UpgradeError extends Error {
  override name = 'UpgradeError'
}

/** The other side could not be reached. */
export class DialError extends UpgradeError {
  override name = 'DialError'
}

const dialTimeoutMs = 30_000
/** A refusal that stops coming is waited for so long. */
const refusalTimeoutMs = 10_000
const keepAliveMs = 30_000

/** Opens a connection. Rejects with a `DialError` in the words that Go's clients use. */
function dial({ origin, tls }: Target): Promise<Socket> {
  const secure = origin.protocol === 'https:' || origin.protocol === 'wss:'
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || (secure ? 443 : 80)
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectTls({ host, port, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), ...tlsOptions(tls) })
      : connectPlain({ host, port })
    const failed = (error: NodeJS.ErrnoException) =>
      reject(new DialError(dialFailure(error, host, port), { cause: error }))
    socket.once('error', failed)
    socket.setTimeout(dialTimeoutMs, () =>
      socket.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' })),
    )
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.removeListener('error', failed)
      socket.setTimeout(0)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveMs)
      resolve(socket)
    })
  })
}

/** What Node's TLS is told. */
export const tlsOptions = ({ cert, key, ca, servername }: TargetTls = {}) => ({
  ...(cert && { cert }),
  ...(servername && { servername }),
  ...(key && { key }),
  ...(ca ? { ca } : { rejectUnauthorized: false }),
  minVersion: 'TLSv1.2' as const,
})

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  ECONNRESET: 'connect: connection reset by peer',
}

/** `dial tcp 10.0.0.1:10250: connect: connection refused` */
export function dialFailure(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`
  if (error.code === 'EPROTO' || error.code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'tls: first record does not look like a TLS handshake'
  return `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${causes[error.code ?? ''] ?? error.message}`
}

/**
 * Passes a request for an upgrade on and, once the other side has switched, connects both byte by byte: whatever they agree on (SPDY, WebSocket), nobody in
 * between needs to know it. A refusal goes back, and nothing that the client sends besides its request's head: a connection that stays one of HTTP is ours, with
 * our credentials, and would take any request. Gives the status that was answered. Rejects with an `UpgradeError`; then nothing was sent to the client yet.
 */
export async function forwardUpgrade(upgrade: Upgrade, forwarding: Forwarding): Promise<number> {
  const { socket, head } = upgrade
  const backend = await dial(forwarding)
  const leave = () => backend.destroy()
  socket.once('close', leave)
  if (socket.destroyed) leave()
  const { response, rest } = await ask(backend, upgrade, forwarding)
  const { statusCode = 502 } = response
  if (rest) {
    socket.removeListener('close', leave)
    socket.write(answerHead(response, response.rawHeaders), 'latin1')
    socket.write(rest)
    backend.write(head)
    join(socket, backend)
    return statusCode
  }
  if (statusCode < 400) {
    backend.destroy()
    throw new UpgradeError(`invalid upgrade response: status code ${statusCode}`)
  }
  backend.setTimeout(refusalTimeoutMs, leave)
  socket.write(answerHead(response, refusalHeaders(response)), 'latin1')
  response.on('error', () => socket.destroy())
  response.pipe(socket)
  return statusCode
}

/** Sends the request's head; resolves with the answer's, and what came behind it when the other side has switched. */
function ask(
  backend: Socket,
  { request }: Upgrade,
  { origin, path, method = request.method ?? 'GET', without, added = {} }: Forwarding,
): Promise<{ readonly response: IncomingMessage; readonly rest?: Buffer }> {
  const headers = 'host' in added ? [] : ['Host', origin.host]
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (name !== 'host' && !framing.has(name) && !without?.has(name) && !(name in added))
      headers.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  }
  for (const [name, values] of Object.entries(added)) for (const value of [values].flat()) headers.push(name, value)
  if (method !== 'GET' && method !== 'HEAD') headers.push('Content-Length', '0')
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ createConnection: () => backend, method, path, headers })
    asked.on('error', (error) => reject(new UpgradeError(error.message, { cause: error })))
    asked.on('upgrade', (response, _socket, rest: Buffer) => resolve({ response, rest }))
    asked.on('response', (response) => resolve({ response }))
    asked.end()
  })
}

/** A request for an upgrade has no body. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])

/** What a refusal's connection is about is between us and the other side; the client's ends with it. */
function refusalHeaders({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!['connection', 'keep-alive', 'transfer-encoding', 'upgrade'].includes(rawHeaders[i]!.toLowerCase()))
      headers.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  return [...headers, 'Connection', 'close']
}

function answerHead({ statusCode = 502, statusMessage }: IncomingMessage, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage || (STATUS_CODES[statusCode] ?? '')}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}

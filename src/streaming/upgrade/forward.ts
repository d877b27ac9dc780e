import { connect as connectPlain } from 'node:net'
import type { Duplex } from 'node:stream'
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
  /** Headers to add. */
  readonly added?: Readonly<Record<string, string>>
}

/** The other side could not be reached. */
export class DialError extends Error {
  override name = 'DialError'
}

const dialTimeoutMs = 30_000
const keepAliveMs = 30_000

/** Opens a connection. Rejects with a `DialError` in the words that Go's clients use. */
export function dial({ origin, tls }: Target): Promise<Duplex> {
  const secure = origin.protocol === 'https:' || origin.protocol === 'wss:'
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || (secure ? 443 : 80)
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectTls({ host, port, ...tlsOptions(tls), ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }) })
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
 * Passes a request for an upgrade on as it is and then connects both sides byte by byte: whatever they agree on (SPDY, WebSocket), nobody in between needs to
 * know it. A refusal goes back the same way. Rejects with a `DialError`; then nothing was sent to the client yet.
 */
export async function forwardUpgrade(upgrade: Upgrade, forwarding: Forwarding): Promise<void> {
  const { socket, head } = upgrade
  const backend = await dial(forwarding)
  if (socket.destroyed) return void backend.destroy()
  backend.write(requestHead(upgrade, forwarding))
  if (head.length > 0) backend.write(head)
  join(socket, backend)
}

function requestHead({ request }: Upgrade, { origin, path, method, without, added = {} }: Forwarding): string {
  const lines = [`${method ?? request.method} ${path} HTTP/1.1`, `Host: ${origin.host}`]
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (name !== 'host' && !without?.has(name) && !(name in added)) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  }
  for (const [name, value] of Object.entries(added)) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

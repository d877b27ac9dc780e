import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** An HTTP/1.1 request that asks for another protocol on its connection, with the connection. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came after the request's head. */
  readonly head: Buffer
}

/** Browsers, whose WebSockets cannot have headers, say who they are by a subprotocol: this and their token. */
export const tokenProtocol = 'base64url.bearer.authorization.k8s.io.'

/** The WebSocket subprotocols that a request offers, which a token is none of; undefined when it asks for no WebSocket. */
export function webSocketProtocols({ headers }: IncomingMessage): readonly string[] | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith(tokenProtocol))
}

/** Connects two byte streams until either is gone; what was received is still delivered. */
export function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => from.destroy())
    from.on('close', () => endSoon(to))
    from.pipe(to)
  }
}

/** Ends a stream after what was written to it is sent. */
export function endSoon(stream: Duplex): void {
  if (stream.destroyed) return
  if (stream.writableFinished) return void stream.destroy()
  stream.once('finish', () => stream.destroy())
  if (!stream.writableEnded) stream.end()
}

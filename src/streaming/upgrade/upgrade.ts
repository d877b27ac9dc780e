import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** An HTTP/1.1 request that asks for another protocol on its connection, with the connection. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came after the request's head. */
  readonly head: Buffer
}

/** The WebSocket subprotocols that a request offers; undefined when it asks for no WebSocket. */
export function webSocketProtocols({ headers }: IncomingMessage): readonly string[] | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
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

import type { WebSocket } from 'ws'
import { acceptWebSocket } from '../../streaming/channels/websocket.ts'
import { webSocketProtocols } from '../../streaming/upgrade/upgrade.ts'
import type { BodyWriter, Exchange } from '../http/exchange.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'

/** How long the event of a frame is: before each one in protobuf. */
const lengthBytes = 4

/** The exchange when it wants a watch as messages of a WebSocket. */
export const webSocketExchange = (exchange: Exchange): UpgradeExchange | undefined =>
  exchange instanceof UpgradeExchange && webSocketProtocols(exchange.request) !== undefined ? exchange : undefined

/** A watch over a WebSocket: each event is a message, of text where events are text. What the client sends is not looked at. */
export class EventSocket implements BodyWriter {
  readonly #exchange: UpgradeExchange
  readonly #text: boolean
  #socket: WebSocket | undefined
  /** What comes before the handshake is over. */
  readonly #waiting: Uint8Array[] = []
  #ended = false

  constructor(exchange: UpgradeExchange, text: boolean) {
    this.#exchange = exchange
    this.#text = text
    exchange.taken(101)
    const offered = webSocketProtocols(exchange.request) ?? []
    acceptWebSocket(exchange, offered[0] ?? '').then(
      (socket) => this.#accepted(socket),
      () => exchange.abort(),
    )
  }

  get closed(): boolean {
    return this.#exchange.socket.destroyed
  }

  get pendingBytes(): number {
    return this.#socket?.bufferedAmount ?? this.#waiting.reduce((sum, { length }) => sum + length, 0)
  }

  write(chunk: Uint8Array | string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (!this.#socket) this.#waiting.push(bytes)
    else for (const message of messagesOf(bytes, this.#text)) this.#socket.send(message, { binary: !this.#text })
    return this.pendingBytes === 0
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#exchange.socket.once('drain', resolve).once('close', resolve))
  }

  end(): void {
    this.#ended = true
    this.#socket?.close(1000)
  }

  #accepted(socket: WebSocket): void {
    this.#socket = socket
    socket.on('error', () => socket.terminate())
    for (const chunk of this.#waiting.splice(0)) this.write(chunk)
    if (this.#ended) this.end()
  }
}

/** The events in a batch: lines of text, or what follows each length. */
export function messagesOf(bytes: Uint8Array, text: boolean): Uint8Array[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: Uint8Array[] = []
  for (let at = 0; at < view.length;) {
    const newline = text ? view.indexOf(0x0a, at) : -1
    const from = text ? at : at + lengthBytes
    const to = text ? (newline < 0 ? view.length : newline + 1) : from + view.readUInt32BE(at)
    messages.push(view.subarray(from, to))
    at = to
  }
  return messages
}

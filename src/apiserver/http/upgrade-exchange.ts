import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import { anyLike, type BodyWriter, type Exchange, type FlatHeaders } from './exchange.ts'
import type { Peer } from './peer.ts'

/** A connection that wants to become something else, as a request: it can be answered as one, or its socket taken. */
export class UpgradeExchange implements Exchange {
  readonly protocol = 'HTTP/1.1'
  readonly chunked = false
  readonly method: string
  readonly target: string
  readonly peer: Peer
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came behind the request's head already. */
  readonly head: Buffer
  #code = 0

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer, peer: Peer) {
    this.method = request.method!
    this.target = request.url!
    this.peer = peer
    this.request = request
    this.socket = socket
    this.head = head
    socket.on('error', () => socket.destroy())
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }

  hasHeaderLike(start: string): boolean {
    return anyLike(this.request.headers, start)
  }

  headers(): Readonly<Record<string, string | readonly string[] | undefined>> {
    return this.request.headersDistinct
  }

  body(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(0))
  }

  bodyStream(): NodeJS.ReadableStream {
    return this.request
  }

  respond(code: number, headers: FlatHeaders, body: Buffer | string): void {
    if (this.answered) return
    this.#code = code
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    let text = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\n`
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
    this.socket.write(`${text}content-length: ${bytes.length}\r\nconnection: close\r\n\r\n`, 'latin1')
    this.socket.end(bytes)
  }

  stream(code: number, headers: FlatHeaders): BodyWriter {
    this.#code = code
    let text = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\n`
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
    const { socket } = this
    socket.write(`${text}connection: close\r\n\r\n`, 'latin1')
    return {
      get closed() {
        return socket.destroyed
      },
      get pendingBytes() {
        return socket.writableLength
      },
      write: (chunk) => socket.write(chunk),
      drained: () => new Promise((resolve) => socket.once('drain', resolve).once('close', resolve)),
      end: () => socket.end(),
    }
  }

  onClose(fn: () => void): void {
    if (this.socket.destroyed) fn()
    else this.socket.once('close', fn)
  }

  /** The socket has been taken: nothing more is written from here. */
  taken(code: number): void {
    this.#code = code
  }

  get answered(): boolean {
    return this.#code !== 0
  }

  get code(): number {
    return this.#code
  }

  abort(): void {
    this.socket.destroy()
  }
}

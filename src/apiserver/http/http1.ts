import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { readBody } from './body.ts'
import { anyLike, type BodyWriter, type Exchange, type FlatHeaders } from './exchange.ts'
import type { Peer } from './peer.ts'
import type { Turns } from './turns.ts'

/** An exchange over HTTP/1.1. */
export class Http1Exchange implements Exchange {
  readonly protocol = 'HTTP/1.1'
  readonly method: string
  readonly target: string
  readonly peer: Peer
  readonly chunked: boolean
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #turns: Turns

  constructor(request: IncomingMessage, response: ServerResponse, peer: Peer, turns: Turns) {
    this.method = request.method!
    this.target = originForm(request.url!)
    this.peer = peer
    this.chunked = request.httpVersionMinor > 0
    this.#request = request
    this.#response = response
    this.#turns = turns
    response.sendDate = false
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }

  hasHeaderLike(start: string): boolean {
    return anyLike(this.#request.headers, start)
  }

  headers(): Readonly<Record<string, string | readonly string[] | undefined>> {
    return this.#request.headersDistinct
  }

  body(bytesMax: number): Promise<Buffer> {
    const length = this.#request.headers['content-length']
    const chunked = this.#request.headers['transfer-encoding'] !== undefined
    return readBody(this.#request, {
      bytesMax,
      declaredBytes: length !== undefined ? Number(length) : chunked ? undefined : 0,
      turns: this.#turns,
    })
  }

  bodyStream(): NodeJS.ReadableStream {
    return this.#request
  }

  respond(code: number, headers: FlatHeaders, body: Buffer | string): void {
    const response = this.#response
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const unread = this.#request.complete ? 0 : this.#declaredBytes()
    response.writeHead(code, headersWithLength(headers, length, unread > skippedBytesMax))
    if (unread === 0 || unread > skippedBytesMax) response.end(body)
    else this.#afterBody(() => response.end(body))
  }

  #declaredBytes(): number {
    const { 'content-length': length, 'transfer-encoding': coding } = this.#request.headers
    return coding !== undefined ? Infinity : Number(length ?? 0)
  }

  /** Passes over what is left of the body. */
  #afterBody(then: () => void): void {
    let done = false
    const once = (): void => {
      if (!done) then()
      done = true
    }
    this.#request.once('end', once).once('close', once).resume()
  }

  stream(code: number, headers: FlatHeaders): BodyWriter {
    this.#response.writeHead(code, headers as string[])
    this.#response.flushHeaders()
    return new Http1Writer(this.#response)
  }

  onClose(fn: () => void): void {
    if (this.#response.closed) fn()
    else this.#response.once('close', fn)
  }

  get answered(): boolean {
    return this.#response.headersSent
  }

  get code(): number {
    return this.#response.headersSent ? this.#response.statusCode : 0
  }

  abort(): void {
    this.#request.socket.destroy()
  }
}

/** A target without the scheme and host that clients of proxies put before it. */
const originForm = (target: string): string =>
  target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*(?=\/)/i, '')

/** What is passed over of a body that nobody wants: clients that first send all of it would otherwise see the connection end, and no answer. */
const skippedBytesMax = 16 * 1024 * 1024

/** A long body that was not read to its end makes the connection useless for the next request. */
function headersWithLength(headers: FlatHeaders, length: number, close: boolean): string[] {
  return close
    ? [...headers, 'content-length', String(length), 'connection', 'close']
    : [...headers, 'content-length', String(length)]
}

class Http1Writer implements BodyWriter {
  readonly #response: ServerResponse
  #socket: Socket | null
  #ended = false

  constructor(response: ServerResponse) {
    this.#response = response
    this.#socket = response.socket
  }

  get closed(): boolean {
    return this.#ended || this.#response.destroyed || this.#response.writableEnded
  }

  get pendingBytes(): number {
    return this.#response.writableLength
  }

  write(chunk: Uint8Array | string): boolean {
    return this.closed || this.#response.write(chunk)
  }

  // Called for each of hundreds of watchers: nothing is looked at here but what is needed. A socket that is gone drops what it is given.
  writeFramed(chunk: Uint8Array): boolean {
    return this.#ended || (this.#socket === null ? this.#writeEarly(chunk) : this.#socket.write(chunk))
  }

  /**
   * A response has no socket while the one before it on the connection is not quite done: a client that reuses connections may ask again before this side has heard that the last
   * byte left. Until then Node queues what is written, framed by itself.
   */
  #writeEarly(chunk: Uint8Array): boolean {
    this.#socket = this.#response.socket
    if (this.#socket) return this.#socket.write(chunk)
    return this.closed || this.#response.write(contentOf(chunk))
  }

  drained(): Promise<void> {
    // The socket's, since framed chunks go past the response.
    return this.closed ? Promise.resolve() : drained(this.#response.socket ?? this.#response)
  }

  end(): void {
    if (!this.closed) this.#response.end()
    this.#ended = true
  }
}

/** Bytes, in pieces, as one chunk of HTTP/1.1. */
export function framedChunk(pieces: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const piece of pieces) length += piece.byteLength
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...pieces, chunkEnd])
}

const chunkEnd = Buffer.from('\r\n')

/** What a chunk of HTTP/1.1 holds. */
const contentOf = (chunk: Uint8Array): Uint8Array => chunk.subarray(chunk.indexOf(0x0a) + 1, -chunkEnd.byteLength)

/** Resolves at the next 'drain', or when the stream is closed. */
export function drained(
  stream: NodeJS.WritableStream & { destroyed: boolean; writableNeedDrain?: boolean },
): Promise<void> {
  if (stream.destroyed || stream.writableNeedDrain === false) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      stream.removeListener('drain', done)
      stream.removeListener('close', done)
      resolve()
    }
    stream.once('drain', done)
    stream.once('close', done)
  })
}

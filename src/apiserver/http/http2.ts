import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { readBody } from './body.ts'
import { anyLike, type BodyWriter, type Exchange, type FlatHeaders } from './exchange.ts'
import { drained } from './http1.ts'
import type { Peer } from './peer.ts'
import type { Turns } from './turns.ts'

/** An exchange over HTTP/2, on Node's stream API. */
export class Http2Exchange implements Exchange {
  readonly protocol = 'HTTP/2.0'
  readonly chunked = false
  readonly method: string
  readonly target: string
  readonly peer: Peer
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #turns: Turns
  #code = 0

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: Peer, turns: Turns) {
    this.method = headers[':method'] as string
    this.target = headers[':path'] as string
    this.peer = peer
    this.#stream = stream
    this.#headers = headers
    this.#turns = turns
    stream.on('error', ignore)
  }

  header(name: string): string | undefined {
    if (name === 'host') return this.#headers[':authority'] as string | undefined
    const value = this.#headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }

  hasHeaderLike(start: string): boolean {
    return anyLike(this.#headers, start)
  }

  headers(): Readonly<Record<string, string | readonly string[] | undefined>> {
    return this.#headers
  }

  body(bytesMax: number): Promise<Buffer> {
    const length = this.#headers['content-length']
    const declaredBytes = this.#stream.endAfterHeaders ? 0 : length === undefined ? undefined : Number(length)
    return readBody(this.#stream, { bytesMax, declaredBytes, turns: this.#turns })
  }

  bodyStream(): NodeJS.ReadableStream {
    return this.#stream
  }

  respond(code: number, headers: FlatHeaders, body: Buffer | string): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return
    this.#code = code
    const out = headersOf(code, headers)
    out['content-length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    if (body.length === 0) return this.#stream.respond(out, { endStream: true })
    this.#stream.respond(out)
    this.#stream.end(body)
  }

  stream(code: number, headers: FlatHeaders): BodyWriter {
    this.#code = code
    if (!this.#stream.destroyed) this.#stream.respond(headersOf(code, headers))
    return new Http2Writer(this.#stream)
  }

  onClose(fn: () => void): void {
    if (this.#stream.closed) fn()
    else this.#stream.once('close', fn)
  }

  get answered(): boolean {
    return this.#stream.headersSent
  }

  get code(): number {
    return this.#code
  }

  abort(): void {
    this.#stream.destroy()
  }
}

/** A stream that the client resets ends the request; there is nobody to tell. */
function ignore(): void {}

function headersOf(code: number, flat: FlatHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = { ':status': code }
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!
    const before = out[name]
    // Repeated headers (Warning, Vary, Audit-Id …) are lists.
    if (before === undefined) out[name] = flat[i + 1]!
    else out[name] = Array.isArray(before) ? [...before, flat[i + 1]!] : [String(before), flat[i + 1]!]
  }
  return out
}

class Http2Writer implements BodyWriter {
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.writableEnded
  }

  get pendingBytes(): number {
    return this.#stream.writableLength
  }

  write(chunk: Uint8Array | string): boolean {
    return this.closed || this.#stream.write(chunk)
  }

  drained(): Promise<void> {
    return drained(this.#stream)
  }

  end(): void {
    if (!this.closed) this.#stream.end()
  }
}

import { Duplex } from 'node:stream'
import { frameBytes, FrameReader, type Frame, type SentFrame } from './frames.ts'
import { HeaderPacker, HeaderUnpacker, type SpdyHeaders } from './header-block.ts'

/** How a connection is taken over. */
export interface SpdyConnectionOptions {
  /** The side that asked for the upgrade numbers its streams oddly. */
  readonly side: 'client' | 'server'
  /** Told of each stream that the other side opens; without it they are refused. */
  readonly accept?: (stream: SpdyStream) => void
}

/** Status codes of RST_STREAM and GOAWAY. */
const refusedStream = 3
const cancelled = 5
const invalidStream = 2
/** Data is written in frames of at most this size, so that streams share the connection. */
const pieceBytes = 32 * 1024
/** Streams that may be open at a time. */
const streamsMax = 1000

/**
 * A SPDY/3.1 connection on a byte stream (what HTTP's upgrade left). Kubernetes' peers (moby/spdystream) neither send nor await WINDOW_UPDATE: the flow is
 * held back by the connection below, which is not read while any stream's reader is behind.
 */
export class SpdyConnection {
  readonly #socket: Duplex
  readonly #options: SpdyConnectionOptions
  readonly #reader = new FrameReader()
  readonly #packer = new HeaderPacker()
  readonly #unpacker = new HeaderUnpacker()
  readonly #streams = new Map<number, SpdyStream>()
  readonly #behind = new Set<SpdyStream>()
  #nextId: number
  #nextPing: number
  #closed = false
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#nextId = options.side === 'client' ? 1 : 2
    this.#nextPing = this.#nextId
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('end', () => this.#end(undefined))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(undefined))
  }

  /** Takes bytes that were read off the socket before: the head of an upgrade. */
  receive(chunk: Buffer): void {
    if (this.#closed) return
    try {
      for (const frame of this.#reader.read(chunk)) this.#take(frame)
    } catch (error) {
      this.#send({ type: 'goaway', lastStreamId: 0, status: 1 })
      this.#end(error as Error)
      this.#socket.destroy()
    }
  }

  /** Opens a stream. */
  open(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextId
    this.#nextId += 2
    const stream = new SpdyStream(this, id, headers)
    this.#streams.set(id, stream)
    this.#send({ type: 'syn-stream', streamId: id, fin: false, block: this.#packer.pack(headers) })
    return stream
  }

  /** Shows the other side, and everybody between, that the connection is in use. */
  ping(): void {
    this.#send({ type: 'ping', id: this.#nextPing })
    this.#nextPing += 2
  }

  /** Ends the connection; what was written is sent before. */
  close(): void {
    if (!this.#closed) this.#send({ type: 'goaway', lastStreamId: 0, status: 0 })
    this.#end(undefined)
    this.#socket.end()
  }

  /** For the streams: writes data, in pieces; `done` when the last one was taken. */
  write(stream: SpdyStream, data: Buffer, done: (error?: Error | null) => void): void {
    for (let at = 0; at < data.length; at += pieceBytes) {
      const last = at + pieceBytes >= data.length
      this.#send(
        { type: 'data', streamId: stream.id, fin: false, data: data.subarray(at, at + pieceBytes) },
        last ? done : undefined,
      )
    }
    if (data.length === 0) done()
  }

  /** For the streams: this side writes no more. */
  finish(stream: SpdyStream, done: (error?: Error | null) => void): void {
    this.#send({ type: 'data', streamId: stream.id, fin: true, data: Buffer.alloc(0) }, done)
  }

  /** For the streams: both sides are through, or `reset`. */
  forget(stream: SpdyStream, reset: boolean): void {
    this.resumed(stream)
    if (this.#streams.delete(stream.id) && reset)
      this.#send({ type: 'rst-stream', streamId: stream.id, status: cancelled })
  }

  /** For the streams: nobody reads what came. */
  paused(stream: SpdyStream): void {
    this.#behind.add(stream)
    this.#socket.pause()
  }

  resumed(stream: SpdyStream): void {
    if (this.#behind.delete(stream) && this.#behind.size === 0 && !this.#closed) this.#socket.resume()
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case 'data': {
        const stream = this.#streams.get(frame.streamId)
        // A stream that was cancelled here may still be written to.
        stream?.receive(frame.data, frame.fin)
        return
      }
      case 'syn-stream':
        return this.#accept(frame.streamId, frame.fin, this.#unpacker.unpack(frame.block))
      case 'syn-reply':
      case 'headers':
        this.#unpacker.unpack(frame.block)
        if (frame.fin) this.#streams.get(frame.streamId)?.receive(Buffer.alloc(0), true)
        return
      case 'rst-stream': {
        const stream = this.#streams.get(frame.streamId)
        this.#streams.delete(frame.streamId)
        stream?.gone(frame.status === cancelled ? undefined : new Error(`SPDY: the stream was reset (${frame.status})`))
        return
      }
      case 'ping':
        // Ours come back; the other side's are sent back.
        if (frame.id % 2 !== this.#nextPing % 2) this.#send(frame)
        return
      case 'goaway':
      case 'settings':
      case 'window-update':
        return
    }
  }

  #accept(id: number, fin: boolean, headers: SpdyHeaders): void {
    const { accept } = this.#options
    if (!accept || this.#streams.size >= streamsMax)
      return this.#send({ type: 'rst-stream', streamId: id, status: refusedStream })
    if (this.#streams.has(id) || id % 2 === this.#nextId % 2)
      return this.#send({ type: 'rst-stream', streamId: id, status: invalidStream })
    const stream = new SpdyStream(this, id, headers)
    this.#streams.set(id, stream)
    this.#send({ type: 'syn-reply', streamId: id, fin: false, block: this.#packer.pack({}) })
    accept(stream)
    if (fin) stream.receive(Buffer.alloc(0), true)
  }

  #send(frame: SentFrame, done?: (error?: Error | null) => void): void {
    if (this.#closed || !this.#socket.writable) return done?.(new Error('SPDY: the connection is closed'))
    this.#socket.write(frameBytes(frame), done)
  }

  #end(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    for (const stream of this.#streams.values()) stream.lost(error)
    this.#streams.clear()
    this.#behind.clear()
    this.#socket.resume()
  }
}

/** One stream of a connection. `end()` half-closes it; `destroy()` resets it. */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  readonly #connection: SpdyConnection
  #ended = false
  #dropped = false
  #cut = false

  constructor(connection: SpdyConnection, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true, emitClose: true })
    this.#connection = connection
    this.id = id
    this.headers = headers
    // Whoever listens for errors gets them; a stream that nobody listens to must not end the process.
    this.on('error', () => {})
  }

  /** For the connection: data came. */
  receive(data: Buffer, fin: boolean): void {
    if (this.#ended || this.destroyed) return
    if (data.length > 0 && !this.push(data)) this.#connection.paused(this)
    if (fin) {
      this.#ended = true
      this.push(null)
    }
  }

  /** For the connection: the other side has dropped the stream. What came before can still be read; what is written goes nowhere. */
  gone(error: Error | undefined): void {
    this.#dropped = true
    if (error) this.destroy(error)
    else if (!this.#ended) {
      this.#ended = true
      this.push(null)
    }
  }

  /** For the connection: it is gone. */
  lost(error: Error | undefined): void {
    this.#cut = !this.#ended
    this.gone(error)
  }

  /** The connection went before the other side had ended the stream: there may have been more to read. */
  get cut(): boolean {
    return this.#cut
  }

  override _read(): void {
    this.#connection.resumed(this)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#dropped) done()
    else this.#connection.write(this, chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#dropped) done()
    else this.#connection.finish(this, (error) => done(error))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection.forget(this, !this.#dropped && !(this.#ended && this.writableFinished))
    done(error)
  }
}

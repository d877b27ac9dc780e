import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect as connectSocket, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { startExchange, type Exchange, type ExchangeListener, type ExchangeOptions } from './exchange.ts'
import { GrpcError } from './grpc-error.ts'

/** Where a server listens. */
export type GrpcTarget = { readonly path: string } | { readonly host: string; readonly port: number }

/** How a server is reached. */
export interface GrpcOptions {
  readonly target: GrpcTarget
  /** For deadlines. */
  readonly clock: Pick<Clock, 'after'>
  /** The longest message that is taken. */
  readonly messageBytesMax: number
}

/** One call, by its path: `/package.Service/Method`. Failures are `GrpcError`s. */
export interface GrpcClient {
  unary(path: string, message: Uint8Array, timeoutMs: number): Promise<Buffer>
  /** Ends with the server's end, or quietly when the signal is aborted. */
  serverStream(path: string, message: Uint8Array, signal: AbortSignal): AsyncIterable<Buffer>
  /** Calls that wait for an answer fail. */
  close(): void
}

/** How much a server may send ahead on one call: lists come in one go. */
const windowBytes = 1024 * 1024

/**
 * A client for gRPC without TLS on Node's own HTTP/2. Nothing is sent before the first call; a connection that broke is made anew by the
 * next call, and an idle one does not keep the process alive.
 */
export function newGrpcClient(options: GrpcOptions): GrpcClient {
  const { clock, messageBytesMax } = options
  const connection = new Connection(options.target)
  const start = (
    call: Pick<ExchangeOptions, 'path' | 'message' | 'timeoutMs'>,
    listener: ExchangeListener,
  ): Exchange => {
    const { session, release } = connection.use()
    const ended = (failure: GrpcError | undefined) => {
      release()
      listener.ended(failure)
    }
    return startExchange({ ...call, session, messageBytesMax }, { message: listener.message, ended })
  }
  return {
    unary: (path, message, timeoutMs) =>
      new Promise((resolve, reject) => {
        let answer: Buffer | undefined
        const cancel = clock.after(timeoutMs, () =>
          exchange.stop(new GrpcError('DeadlineExceeded', 'context deadline exceeded')),
        )
        const exchange = start(
          { path, message, timeoutMs },
          {
            message: (bytes) => (answer ??= bytes),
            ended: (failure) => {
              cancel()
              if (failure) reject(failure)
              else if (answer) resolve(answer)
              else reject(new GrpcError('Internal', 'the server ended the call without an answer'))
            },
          },
        )
      }),
    async *serverStream(path, message, signal) {
      const waiting: Buffer[] = []
      let outcome: { readonly failure: GrpcError | undefined } | undefined
      let news = Promise.withResolvers<void>()
      const exchange = start(
        { path, message, timeoutMs: undefined },
        {
          message: (bytes) => void (waiting.push(bytes), news.resolve()),
          ended: (failure) => ((outcome = { failure }), news.resolve()),
        },
      )
      const cancel = () => exchange.stop(undefined)
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
      try {
        for (;;) {
          for (let next = waiting.shift(); next; next = waiting.shift()) yield next
          if (outcome) break
          await news.promise
          news = Promise.withResolvers()
        }
        if (outcome.failure && !signal.aborted) throw outcome.failure
      } finally {
        signal.removeEventListener('abort', cancel)
        cancel()
      }
    },
    close: () => connection.close(),
  }
}

/** The HTTP/2 session in use, made when it is needed. */
class Connection {
  readonly #target: GrpcTarget
  #current: { readonly session: ClientHttp2Session; readonly socket: Socket; calls: number } | undefined

  constructor(target: GrpcTarget) {
    this.#target = target
  }

  /** The session for one call; `release` when it is over. */
  use(): { readonly session: ClientHttp2Session; readonly release: () => void } {
    // A session is told of its end a moment after it.
    if (this.#current?.session.closed || this.#current?.session.destroyed) this.#current = undefined
    const used = (this.#current ??= this.#open())
    if (used.calls++ === 0) used.socket.ref()
    return {
      session: used.session,
      release: () => {
        if (--used.calls === 0) used.socket.unref()
      },
    }
  }

  close(): void {
    this.#current?.session.destroy(
      new GrpcError('Canceled', 'the client connection is closing'),
      constants.NGHTTP2_CANCEL,
    )
    this.#current = undefined
  }

  #open() {
    const socket = connectSocket(this.#target)
    socket.setNoDelay(true)
    const session = connectHttp2('http://localhost', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    })
    const opened = { session, socket, calls: 0 }
    const drop = () => {
      if (this.#current === opened) this.#current = undefined
    }
    // The calls under way are told of the error; the next one connects again.
    session.on('error', drop).on('close', drop).on('goaway', drop)
    return opened
  }
}

import { constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { FrameReader, frameOf } from './frames.ts'
import { failureOf, failureOfHttp, GrpcError } from './grpc-error.ts'

/** What is asked. */
export interface ExchangeOptions {
  readonly session: ClientHttp2Session
  readonly path: string
  readonly message: Uint8Array
  readonly messageBytesMax: number
  /** Told to the server, so that it gives up too; undefined: no limit. */
  readonly timeoutMs: number | undefined
}

/** Who hears of the answer. */
export interface ExchangeListener {
  /** Each message, in order. */
  readonly message: (bytes: Buffer) => void
  /** Once: the call is over, by the server's word, by a failure or by `stop`. */
  readonly ended: (failure: GrpcError | undefined) => void
}

/** A call under way. */
export interface Exchange {
  /** Ends it with this outcome, unless it is over. */
  stop(failure: GrpcError | undefined): void
}

/** One call as an HTTP/2 stream: a message there, messages back, and the status behind them. */
export function startExchange(
  { session, path, message, messageBytesMax, timeoutMs }: ExchangeOptions,
  listener: ExchangeListener,
): Exchange {
  const reader = new FrameReader(messageBytesMax)
  let over = false
  let read = false
  /** Undefined while the server has not told it. */
  let verdict: { readonly failure: GrpcError | undefined } | undefined
  let cause: Error | undefined
  const finish = (failure: GrpcError | undefined) => {
    if (over) return
    over = true
    listener.ended(failure)
  }
  const stop = (failure: GrpcError | undefined) => {
    if (over) return
    finish(failure)
    stream.close(constants.NGHTTP2_CANCEL)
  }
  const hear = (headers: IncomingHttpHeaders) => {
    const status = headers['grpc-status']
    if (typeof status === 'string') verdict = { failure: failureOf(status, String(headers['grpc-message'] ?? '')) }
    if (verdict && read) finish(verdict.failure)
  }
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    te: 'trailers',
    'content-type': 'application/grpc',
    'user-agent': 'kubernode',
    ...(timeoutMs !== undefined && { 'grpc-timeout': timeoutText(timeoutMs) }),
  })
  stream.on('response', (headers) => {
    if (headers[':status'] !== 200) verdict = { failure: failureOfHttp(Number(headers[':status'])) }
    hear(headers)
  })
  stream.on('trailers', hear)
  stream.on('data', (piece: Buffer) => {
    try {
      for (const bytes of reader.push(piece)) if (!over) listener.message(bytes)
    } catch (error) {
      stop(error as GrpcError)
    }
  })
  stream.on('end', () => {
    read = true
    if (verdict) finish(verdict.failure)
  })
  stream.on('error', (error) => (cause = error))
  stream.on('close', () =>
    finish(
      verdict
        ? verdict.failure
        : broken(stream.rstCode, cause ?? (session.destroyed ? new Error('the connection was closed') : undefined)),
    ),
  )
  stream.end(frameOf(message))
  return { stop }
}

/** Why a call ended without the server's word. */
function broken(resetCode: number, cause: Error | undefined): GrpcError {
  // A call that waits for its connection is told of the connection's failure inside of its own.
  const origin = cause?.cause instanceof Error ? cause.cause : cause
  if (origin instanceof GrpcError) return origin
  const options = cause && { cause }
  if (origin && !('code' in origin && origin.code === 'ERR_HTTP2_STREAM_ERROR'))
    return new GrpcError('Unavailable', `connection error: ${origin.message}`, options)
  switch (resetCode) {
    case constants.NGHTTP2_CANCEL:
      return new GrpcError('Canceled', 'the server cancelled the call', options)
    case constants.NGHTTP2_REFUSED_STREAM:
      return new GrpcError('Unavailable', 'the server refused the call', options)
    case constants.NGHTTP2_NO_ERROR:
      return new GrpcError('Unavailable', 'error reading from server: EOF', options)
    default:
      return new GrpcError('Internal', `stream terminated by RST_STREAM with error code: ${resetCode}`, options)
  }
}

/** A time-out as the header has it: at most eight digits. */
const timeoutText = (ms: number): string => (ms < 1e8 ? `${Math.max(1, Math.ceil(ms))}m` : `${Math.ceil(ms / 1000)}S`)

import type { Peer } from './peer.ts'

/** Pairs of header names and values, flat: ['content-type', 'text/plain', …]. Cheaper to make and to write than an object. */
export type FlatHeaders = readonly string[]

/**
 * One request and its answer on the wire, the same over HTTP/1.1 and HTTP/2, and nothing that the API server does not need: Node's own compatibility
 * layer over HTTP/2 costs more than all of our work on a GET.
 */
export interface Exchange {
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  readonly peer: Peer
  readonly protocol: 'HTTP/1.1' | 'HTTP/2.0'
  /** A body that comes in pieces goes out as chunks of HTTP/1.1: `BodyWriter.writeFramed` works. */
  readonly chunked: boolean
  /** A request header by its lower-case name; repeated ones joined by ', '. */
  header(name: string): string | undefined
  /** Whether a request header begins with this, in lower case. */
  hasHeaderLike(start: string): boolean
  /** All request headers, for what forwards requests. */
  headers(): Readonly<Record<string, string | readonly string[] | undefined>>
  /** The whole body. Rejects with `BodyTooLargeError` once it is larger than `bytesMax`. */
  body(bytesMax: number): Promise<Buffer>
  /** The body as it comes, for what forwards requests. */
  bodyStream(): NodeJS.ReadableStream
  /** Answers with a body that is there as a whole. */
  respond(code: number, headers: FlatHeaders, body: Buffer | string): void
  /** Answers with a body that comes in pieces. */
  stream(code: number, headers: FlatHeaders): BodyWriter
  /** Calls `fn` once when the client is gone or the answer is complete. */
  onClose(fn: () => void): void
  /** The answer has begun: an error can only end it. */
  readonly answered: boolean
  /** The status that was answered, 0 before. */
  readonly code: number
  /** Ends the connection or the stream without (the rest of) an answer. */
  abort(): void
}

/** The sending end of an answer that comes in pieces. */
export interface BodyWriter {
  /** False when the client does not keep up: wait for `drained`. */
  write(chunk: Uint8Array | string): boolean
  /** Over HTTP/1.1: takes bytes that are an HTTP chunk already, framed once for many answers (`framedChunk`). */
  writeFramed?(chunk: Uint8Array): boolean
  /** Resolves when there is room again, or when the client is gone. */
  drained(): Promise<void>
  end(): void
  readonly closed: boolean
  /** Bytes that wait to be sent. */
  readonly pendingBytes: number
}

/** The body is larger than the server reads. */
export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError'
}

/** The client went away while it sent the body. */
export class BodyAbortedError extends Error {
  override name = 'BodyAbortedError'
}

/** Whether the name of a header begins so. */
export function anyLike(headers: object, start: string): boolean {
  for (const name in headers) if (name.startsWith(start)) return true
  return false
}

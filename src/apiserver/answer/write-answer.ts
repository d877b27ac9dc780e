import { gzipSync } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import type { Exchange } from '../http/exchange.ts'
import type { ApiRequest } from '../request/api-request.ts'
import { served } from '../verbs/core.ts'
import type { Answer, ListAnswer, ObjectAnswer, RawAnswer, ValueAnswer } from './answer.ts'
import type { FormedChunks, Forms } from './forms.ts'
import { jsonListChunks, writeChunks } from './json-list.ts'
import { madeListChunks } from './made-lists.ts'
import { contentTypes, type Format } from './negotiate.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { startWatch } from './watch-stream.ts'

/** What answers are written with. */
export interface Writing {
  readonly exchange: Exchange
  readonly request: ApiRequest
  readonly format: Format
  readonly headers: ResponseHeaders
  readonly forms: Forms
  readonly clock: Clock
  readonly nowMs: number
}

/** Writes an answer in the form that the client takes. */
export function writeAnswer(writing: Writing, answer: Answer): void | Promise<void> {
  switch (answer.type) {
    case 'object':
      return writeObject(writing, answer)
    case 'list':
      return writeList(writing, answer)
    case 'value':
      return writeValue(writing, answer)
    case 'watch':
      return startWatch(writing, answer)
    case 'raw':
      return writeRaw(writing, answer)
    case 'taken':
      return undefined
  }
}

function writeObject(writing: Writing, { code, kind, document }: ObjectAnswer): void {
  const { format, exchange, headers, request } = writing
  if (format.encoding === 'json' && format.as === '' && !kind.storedAs && !format.pretty) {
    return send(writing, code, contentTypes.json, lineOf(document.bytes))
  }
  const object = served(kind, document.object)
  const { bytes, contentType } = writing.forms.object(kind, object, {
    format,
    query: request.query,
    nowMs: writing.nowMs,
  })
  exchange.respond(code, headers.of(request.warnings, contentType), whole(format, contentType, bytes))
}

function writeList(writing: Writing, answer: ListAnswer): void | Promise<void> {
  const { format, request } = writing
  if (format.encoding === 'json' && format.as === '') {
    const made = format.pretty || answer.kind.storedAs !== undefined
    return sendChunks(writing, {
      chunks: made ? madeListChunks(answer, format.pretty) : jsonListChunks(answer),
      contentType: contentTypes.json,
      made,
    })
  }
  const formed = writing.forms.list(answer, { format, query: request.query, nowMs: writing.nowMs }, writing.clock)
  if (formed instanceof Promise) return formed.then((chunks) => sendChunks(writing, chunks))
  return 'bytes' in formed ? send(writing, 200, formed.contentType, formed.bytes) : sendChunks(writing, formed)
}

function writeValue(writing: Writing, { code, value }: ValueAnswer): void {
  const { format, request, nowMs } = writing
  const { bytes, contentType } = writing.forms.value(value, { format, query: request.query, nowMs })
  send(writing, code, contentType, whole(format, contentType, bytes))
}

/** JSON for programs ends its line, and JSON for people does not: so has upstream it. */
const whole = (format: Format, contentType: string, bytes: Uint8Array): Buffer =>
  contentType === contentTypes.json && !format.pretty ? lineOf(bytes) : asBuffer(bytes)

function lineOf(bytes: Uint8Array): Buffer {
  const line = Buffer.allocUnsafe(bytes.length + 1)
  line.set(bytes)
  line[bytes.length] = 0x0a
  return line
}

function writeRaw(
  { exchange, request, headers }: Writing,
  { code, contentType, body, headers: more, cacheControl }: RawAnswer,
): void {
  const own = headers.of(request.warnings, contentType, cacheControl)
  exchange.respond(code, more ? [...own, ...more] : own, typeof body === 'string' ? body : asBuffer(body))
}

/** Answers above this size are compressed for clients that take it, as upstream does. */
const compressedFromBytes = 128 * 1024

function send({ exchange, request, headers }: Writing, code: number, contentType: string, bytes: Uint8Array): void {
  const own = headers.of(request.warnings, contentType)
  if (bytes.length > compressedFromBytes && takesGzip(request)) {
    exchange.respond(
      code,
      [...own, 'content-encoding', 'gzip', 'vary', 'Accept-Encoding'],
      gzipSync(bytes, { level: 1 }),
    )
  } else exchange.respond(code, own, asBuffer(bytes))
}

function sendChunks(writing: Writing, { chunks, contentType, made }: FormedChunks): void | Promise<void> {
  const { exchange, request, headers } = writing
  // What HTTP/2 has been given may be on its way after the stream has closed.
  if (exchange.protocol === 'HTTP/1.1') exchange.onClose(() => chunks.release())
  const first = chunks.next().value!
  const second = chunks.next()
  if (second.done) return send(writing, 200, contentType, first.content)
  const own = headers.of(request.warnings, contentType)
  const gzip = takesGzip(request)
  const writer = exchange.stream(200, gzip ? [...own, 'content-encoding', 'gzip', 'vary', 'Accept-Encoding'] : own)
  return writeChunks(writer, {
    ready: [first, second.value],
    rest: chunks,
    gzip,
    framed: exchange.chunked,
    between: made ? () => writing.clock.yield() : undefined,
  })
}

const takesGzip = ({ exchange, method }: ApiRequest): boolean =>
  method === 'GET' && exchange?.header('accept-encoding')?.includes('gzip') === true

/** The same bytes as a Buffer. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

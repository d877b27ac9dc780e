/** Header names in lower case; several values of one name are joined by commas. */
export type AnswerHeaders = ReadonlyMap<string, string>

/** Who takes an answer, piece by piece. The pieces may be kept. */
export interface AnswerSink {
  head(code: number, headers: AnswerHeaders): void
  data(piece: Buffer): void
}

/** The longest head, and the longest line between two chunks, that is taken; Node's server and Go's send far less. */
const headBytesMax = 64 << 10
const chunkLineBytesMax = 4 << 10
const headEnd = Buffer.from('\r\n\r\n')
const lineFeed = 10

/** Where in an answer the next byte belongs. */
type Place = 'head' | 'counted' | 'chunk line' | 'chunk' | 'chunk end' | 'trailer' | 'until closed' | 'done'

/**
 * Reads one HTTP/1.1 answer from the pieces in which it arrives. Node's own client makes a stream, a request and a handful of listeners for each answer, which
 * costs several times what reading it does; here it is calls on a sink.
 */
export class AnswerParser {
  readonly #sink: AnswerSink
  #place: Place = 'head'
  /** The begin of a head or line whose end has not come. */
  #held: Buffer | undefined
  /** What is missing of a counted body or a chunk. */
  #missing = 0
  /** The server goes on listening on this connection after the answer. */
  keepsAlive = true
  /** For how long, when it says so. */
  keepAliveSeconds: number | undefined

  constructor(sink: AnswerSink) {
    this.#sink = sink
  }

  get done(): boolean {
    return this.#place === 'done'
  }

  /** Takes what arrived; throws when it is no HTTP. True when the answer is complete, which these bytes must not go beyond. */
  feed(arrived: Buffer): boolean {
    let bytes = this.#held ? Buffer.concat([this.#held, arrived]) : arrived
    this.#held = undefined
    while (bytes.length > 0) {
      if (this.#place === 'done') throw new Error('the server sent more than its answer')
      const used = this.#take(bytes)
      if (used === 0) {
        this.#held = bytes
        break
      }
      bytes = bytes.subarray(used)
    }
    return this.done
  }

  /** The connection has ended: true when that was the answer's end. */
  ended(): boolean {
    if (this.#place === 'until closed') this.#place = 'done'
    return this.done
  }

  /** How many bytes were used; 0: more are needed. */
  #take(bytes: Buffer): number {
    switch (this.#place) {
      case 'head':
        return this.#takeHead(bytes)
      case 'chunk line':
        return this.#takeLine(bytes, (line) => this.#chunk(line))
      case 'chunk end':
        return this.#takeLine(bytes, (line) => {
          if (line !== '') throw new Error('a chunk of the answer is longer than it said')
          this.#place = 'chunk line'
        })
      case 'trailer':
        return this.#takeLine(bytes, (line) => {
          if (line === '') this.#place = 'done'
        })
      case 'until closed':
        this.#sink.data(bytes)
        return bytes.length
      default:
        return this.#takeCounted(bytes)
    }
  }

  #takeCounted(bytes: Buffer): number {
    const piece = bytes.length > this.#missing ? bytes.subarray(0, this.#missing) : bytes
    this.#missing -= piece.length
    if (this.#missing === 0) this.#place = this.#place === 'chunk' ? 'chunk end' : 'done'
    this.#sink.data(piece)
    return piece.length
  }

  #takeLine(bytes: Buffer, taken: (line: string) => void): number {
    const end = bytes.indexOf(lineFeed)
    if (end < 0) {
      if (bytes.length > chunkLineBytesMax) throw new Error('a line between chunks of the answer is too long')
      return 0
    }
    taken(bytes.toString('latin1', 0, end > 0 && bytes[end - 1] === 13 ? end - 1 : end))
    return end + 1
  }

  #chunk(line: string): void {
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i.exec(line)?.[1]
    if (size === undefined) throw new Error('the answer has a chunk without a size')
    this.#missing = Number.parseInt(size, 16)
    this.#place = this.#missing === 0 ? 'trailer' : 'chunk'
  }

  #takeHead(bytes: Buffer): number {
    const end = bytes.indexOf(headEnd)
    if (end < 0 || end > headBytesMax) {
      if (bytes.length > headBytesMax) throw new Error(`the answer's head is longer than ${headBytesMax} bytes`)
      return 0
    }
    const lines = bytes.toString('latin1', 0, end).split('\r\n')
    const status = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(lines[0]!)
    if (!status) throw new Error('the server does not speak HTTP/1.1')
    const code = Number(status[2])
    if (code === 101) throw new Error('the server switched protocols, which nobody asked for')
    // 100 Continue, 103 Early Hints: the answer is still to come.
    if (code >= 200) this.#begin(code, status[1] === '1', headersOf(lines))
    return end + headEnd.length
  }

  #begin(code: number, keeps: boolean, headers: AnswerHeaders): void {
    const connection = headers.get('connection')?.toLowerCase() ?? ''
    this.keepsAlive = keeps ? !connection.includes('close') : connection.includes('keep-alive')
    const timeout = /(?:^|[\s,])timeout=(\d+)/i.exec(headers.get('keep-alive') ?? '')?.[1]
    if (timeout !== undefined) this.keepAliveSeconds = Number(timeout)
    this.#place = this.#bodyOf(code, headers)
    this.#sink.head(code, headers)
  }

  #bodyOf(code: number, headers: AnswerHeaders): Place {
    if (code === 204 || code === 304) return 'done'
    const encoding = headers.get('transfer-encoding')
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== 'chunked') throw new Error(`transfer encoding ${encoding} is not understood`)
      return 'chunk line'
    }
    const length = headers.get('content-length')
    if (length === undefined) {
      this.keepsAlive = false
      return 'until closed'
    }
    if (!/^\d{1,15}$/.test(length)) throw new Error(`the answer's length is ${length}`)
    this.#missing = Number(length)
    return this.#missing === 0 ? 'done' : 'counted'
  }
}

function headersOf(lines: readonly string[]): AnswerHeaders {
  const headers = new Map<string, string>()
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!
    const colon = line.indexOf(':')
    if (colon <= 0) throw new Error('the answer has a header without a name')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const known = headers.get(name)
    headers.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return headers
}

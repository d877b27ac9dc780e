import type { AnswerHeaders } from './answer-parser.ts'
import type { Exchange, Sent } from './connections.ts'

/** The largest whole answer that is taken. */
const answerBytesMax = 1 << 30
/** A stream whose reader leaves this much lying is not read from until the reader comes back. */
const waitingBytesMax = 1 << 20

/** An answer as a whole. */
export interface Answer {
  readonly code: number
  readonly headers: AnswerHeaders
  readonly text: string
}

/** Waits for a whole answer. */
export class WholeAnswer implements Exchange {
  readonly answer: Promise<Answer>
  readonly #resolve: (answer: Answer) => void
  readonly fail: (error: Error) => void
  #code = 0
  #headers: AnswerHeaders = new Map()
  readonly #pieces: Buffer[] = []
  #size = 0

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.answer = promise
    this.#resolve = resolve
    this.fail = reject
  }

  head(code: number, headers: AnswerHeaders): void {
    this.#code = code
    this.#headers = headers
  }

  data(piece: Buffer): void {
    this.#size += piece.length
    if (this.#size > answerBytesMax) throw new Error(`the API server's answer is larger than ${answerBytesMax} bytes`)
    this.#pieces.push(piece)
  }

  end(): void {
    this.#resolve({ code: this.#code, headers: this.#headers, text: textOf(this.#pieces) })
  }
}

/** An answer that is read while it comes. */
export class StreamedAnswer implements Exchange {
  /** Resolves with the code when the head is here. */
  readonly code: Promise<number>
  readonly #resolve: (code: number) => void
  readonly #reject: (error: Error) => void
  headers: AnswerHeaders = new Map()
  /** Set by whoever sends the request. */
  sent: Sent | undefined
  #pieces: Buffer[] = []
  #size = 0
  #over = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.code = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  /** What has arrived since the last call, at least something; undefined at the end. What came before a failure is given first. */
  async next(): Promise<readonly Buffer[] | undefined> {
    while (this.#pieces.length === 0) {
      if (this.#error) throw this.#error
      if (this.#over) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const pieces = this.#pieces
    if (this.#size > waitingBytesMax) this.sent?.resume()
    this.#pieces = []
    this.#size = 0
    return pieces
  }

  /** The rest, as text. */
  async text(): Promise<string> {
    const all: Buffer[] = []
    for (let pieces = await this.next(); pieces; pieces = await this.next()) all.push(...pieces)
    return textOf(all)
  }

  head(code: number, headers: AnswerHeaders): void {
    this.headers = headers
    this.#resolve(code)
  }

  data(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#size += piece.length
    if (this.#size > waitingBytesMax) this.sent?.pause()
    this.#wake()
  }

  end(): void {
    this.#over = true
    this.#wake()
  }

  fail(error: Error): void {
    this.#error = error
    this.#reject(error)
    this.#wake()
  }
}

const textOf = (pieces: readonly Buffer[]): string =>
  (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)).toString()

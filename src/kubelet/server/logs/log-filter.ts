import { fullTimestamp, parseLogLine } from './cri-line.ts'
import type { LogOptions } from './log-options.ts'

/** Turns raw entries of a log into what was asked for. */
export class LogFilter {
  readonly #options: LogOptions
  #left: number
  /** The entry before was partial: no time stands before what goes on. */
  #within = false
  #held: Buffer = Buffer.alloc(0)

  constructor(options: LogOptions) {
    this.#options = options
    this.#left = options.limitBytes ?? Infinity
  }

  /** All that may be written has been. */
  get full(): boolean {
    return this.#left <= 0
  }

  /** Takes the next bytes of the file. What is no whole entry is held until its rest comes. */
  take(chunk: Buffer): Buffer {
    const raw = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    const out: Buffer[] = []
    let start = 0
    for (let end = raw.indexOf(0x0a); end >= 0 && !this.full; end = raw.indexOf(0x0a, start)) {
      this.#entry(raw.subarray(start, end + 1), out)
      start = end + 1
    }
    // The chunk's buffer is used again for the next one.
    this.#held = Buffer.from(raw.subarray(start))
    return Buffer.concat(out)
  }

  /** No more comes of this file: an entry without its end is one, too. */
  flush(): Buffer {
    const out: Buffer[] = []
    if (this.#held.length > 0 && !this.full) this.#entry(this.#held, out)
    this.#held = Buffer.alloc(0)
    return Buffer.concat(out)
  }

  #entry(raw: Buffer, out: Buffer[]): void {
    const line = parseLogLine(raw)
    if (!line) return
    const { timestamps, sinceMs, stream } = this.#options
    const begins = !this.#within
    this.#within = line.partial
    if (sinceMs !== undefined && Date.parse(line.timestamp) < sinceMs) return
    if (stream !== 'All' && stream.toLowerCase() !== line.stream) return
    if (timestamps && begins) this.#put(Buffer.from(`${fullTimestamp(line.timestamp)} `), out)
    this.#put(line.content, out)
  }

  #put(bytes: Buffer, out: Buffer[]): void {
    if (this.full) return
    out.push(bytes.subarray(0, this.#left))
    this.#left -= bytes.length
  }
}

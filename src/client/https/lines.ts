/** The longest line that is taken: an object is at most a few MB. */
const lineBytesMax = 64 << 20
const lineFeed = 10

/** Puts lines together from the pieces of a stream. A last line without end is never given: it was cut off. */
export class Lines {
  #parts: Buffer[] = []
  #held = 0

  /** The lines that a piece completes, without their ends; empty ones are left out. */
  of(piece: Buffer): string[] {
    const found: string[] = []
    let start = 0
    for (let end = piece.indexOf(lineFeed); end !== -1; end = piece.indexOf(lineFeed, start)) {
      const line = this.#line(piece.subarray(start, end))
      start = end + 1
      if (line !== '') found.push(line)
    }
    if (start < piece.length) {
      this.#parts.push(piece.subarray(start))
      this.#held += piece.length - start
      if (this.#held > lineBytesMax) throw new Error(`a line of the stream is longer than ${lineBytesMax} bytes`)
    }
    return found
  }

  #line(tail: Buffer): string {
    if (this.#parts.length === 0) return tail.toString()
    const whole = Buffer.concat([...this.#parts, tail])
    this.#parts = []
    this.#held = 0
    return whole.toString()
  }
}

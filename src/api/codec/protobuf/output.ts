/** What the output begins with; it doubles as messages need it. */
const bytesAtFirst = 64 * 1024
/** A larger buffer is not kept for the next message. */
const bytesKept = 1024 * 1024
/** Up to here a loop over the letters is faster than a call into the runtime. */
const shortText = 48

/**
 * Where messages are written, front to back. A message's length is known when it ends: one byte is left for it, which is enough for most, and what is
 * longer is moved.
 */
export class ProtobufOutput {
  #buffer = Buffer.allocUnsafeSlow(bytesAtFirst)
  #at = 0

  /** Begins anew. */
  reset(): void {
    this.#at = 0
  }

  /** A copy of what was written. */
  finish(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#at)
    bytes.set(this.#buffer.subarray(0, this.#at))
    if (this.#buffer.length > bytesKept) this.#buffer = Buffer.allocUnsafeSlow(bytesAtFirst)
    this.#at = 0
    return bytes
  }

  /** Bytes as they are, a few. */
  few(bytes: Uint8Array): void {
    const buffer = this.#room(bytes.length)
    for (let i = 0; i < bytes.length; i++) buffer[this.#at++] = bytes[i]!
  }

  /** An unsigned number below 2^53. */
  varint(value: number): void {
    const buffer = this.#room(10)
    let at = this.#at
    let rest = value
    while (rest >= 0x8000_0000) {
      buffer[at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      buffer[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    buffer[at++] = rest
    this.#at = at
  }

  /** A whole number, negative ones in ten bytes. */
  integer(value: number): void {
    if (value >= 0) return this.varint(value)
    const buffer = this.#room(10)
    let bits = BigInt.asUintN(64, BigInt(value))
    for (let i = 0; i < 9; i++, bits >>= 7n) buffer[this.#at++] = Number(bits & 127n) | 128
    buffer[this.#at++] = Number(bits)
  }

  /** A number in eight bytes. */
  double(value: number): void {
    this.#at = this.#room(8).writeDoubleLE(value, this.#at)
  }

  /** A text after its length. */
  text(value: string): void {
    const { length } = value
    const buffer = this.#room(length * 3 + 5)
    const start = this.#at
    if (length < shortText) {
      let i = 0
      for (; i < length; i++) {
        const letter = value.charCodeAt(i)
        if (letter > 127) break
        buffer[start + 1 + i] = letter
      }
      if (i === length) {
        buffer[start] = length
        this.#at = start + 1 + length
        return
      }
    }
    const bytes = Buffer.byteLength(value)
    this.varint(bytes)
    this.#at += buffer.write(value, this.#at)
  }

  /** Bytes after their length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length)
    this.#room(value.length).set(value, this.#at)
    this.#at += value.length
  }

  /** Begins a message within: what follows until `end` is its own. */
  begin(): number {
    this.#room(1)
    return this.#at++
  }

  /** Ends the message that began at `start`. */
  end(start: number): void {
    const length = this.#at - start - 1
    if (length < 128) {
      this.#buffer[start] = length
      return
    }
    const more = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : length < 1 << 28 ? 3 : 4
    this.#room(more).copyWithin(start + 1 + more, start + 1, this.#at)
    this.#at = start
    this.varint(length)
    this.#at += length
  }

  #room(bytes: number): Buffer {
    if (this.#at + bytes <= this.#buffer.length) return this.#buffer
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes))
    larger.set(this.#buffer.subarray(0, this.#at))
    return (this.#buffer = larger)
  }
}

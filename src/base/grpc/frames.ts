import { GrpcError } from './grpc-error.ts'

/** Before each message: whether it is compressed, and its length. */
const headBytes = 5

/** A message as it is sent. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, headBytes)
  return frame
}

/** Puts messages together from the pieces that arrive. */
export class FrameReader {
  readonly #messageBytesMax: number
  #pieces: Buffer[] = []
  #bytes = 0
  /** How many bytes the next message needs, with its head; unknown until the head is there. */
  #wanted = headBytes

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax
  }

  /** The messages that are complete with this piece. Throws when one is compressed, which nobody asked for, or too large. */
  push(piece: Buffer): Buffer[] {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    const messages: Buffer[] = []
    while (this.#bytes >= this.#wanted) {
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#bytes)
      this.#pieces = [all]
      const end = headBytes + this.#lengthOf(all)
      if (all.length < end) {
        this.#wanted = end
        break
      }
      messages.push(all.subarray(headBytes, end))
      this.#pieces = all.length > end ? [all.subarray(end)] : []
      this.#bytes = all.length - end
      this.#wanted = headBytes
    }
    return messages
  }

  #lengthOf(frame: Buffer): number {
    if (frame[0] !== 0) throw new GrpcError('Internal', 'the message is compressed, which was not offered')
    const length = frame.readUInt32BE(1)
    if (length > this.#messageBytesMax)
      throw new GrpcError(
        'ResourceExhausted',
        `received message larger than max (${length} vs. ${this.#messageBytesMax})`,
      )
    return length
  }
}

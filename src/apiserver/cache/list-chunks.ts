/** How much of a list is put together in one turn: large enough that a chunk costs nothing, small enough that nobody waits. */
const chunkBytes = 256 * 1024

/** What a list's body is made of. */
export interface ListBody {
  /** Up to and including the opening bracket of the items. */
  readonly head: string | Uint8Array
  readonly items: Iterable<Uint8Array>
  /** From the closing bracket on. */
  readonly tail: string | Uint8Array
  /**
   * What every item begins with and the list leaves out, without the brace: `"kind":"Pod","apiVersion":"v1",`. Items of upstream's typed lists carry
   * neither. An item that does not begin so is taken as it is.
   */
  readonly itemHead?: string
  /** Between two items. Default ','. */
  readonly separator?: string
}

const brace = 0x7b
/** Room before and after a chunk: its size in hexadecimal and the ends of lines. */
const roomBefore = 10
const roomAfter = 2

/** A piece of a body, with room around it, so that HTTP/1.1 frames it where it lies. */
export class Chunk {
  readonly #buffer: Buffer
  readonly #end: number

  /** The piece is what stands between `roomBefore` and `end`. */
  constructor(buffer: Buffer, end: number) {
    this.#buffer = buffer
    this.#end = end
  }

  /** As it is. */
  get content(): Buffer {
    return this.#buffer.subarray(roomBefore, this.#end)
  }

  /** As a chunk of HTTP/1.1. */
  get framed(): Buffer {
    const size = `${(this.#end - roomBefore).toString(16)}\r\n`
    const from = roomBefore - size.length
    this.#buffer.write(size, from, 'latin1')
    this.#buffer.write('\r\n', this.#end, 'latin1')
    return this.#buffer.subarray(from, this.#end + roomAfter)
  }
}

/**
 * A list's body in chunks of about 256 KiB. Each is made when it is asked for, so that whoever writes them waits for the socket in between; and only the last
 * two stay as they are, since fresh memory for each would be ten times a list's size before it is collected.
 */
export class ListChunks implements IterableIterator<Chunk, void, undefined> {
  readonly #chunks: Iterator<Chunk, void, undefined>
  /** The last two chunks'. */
  readonly #buffers: Buffer<ArrayBuffer>[] = []
  #buffer = Buffer.alloc(0)
  #at = 0
  #released = false

  constructor(body: ListBody) {
    this.#chunks = this.#make(body)
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<Chunk, void> {
    return this.#released ? { done: true, value: undefined } : this.#chunks.next()
  }

  /** Whoever wrote the chunks no longer needs them: their memory is the next list's. There are no more afterwards. */
  release(): void {
    this.#released = true
    for (const buffer of this.#buffers.splice(0))
      if (buffer.byteLength === chunkBytes && spare.length < spareMax) spare.push(buffer)
  }

  *#make({ head, items, tail, itemHead = '', separator = ',' }: ListBody): Generator<Chunk, void, undefined> {
    const skip = Buffer.from(`{${itemHead}`)
    const between = Buffer.from(separator)
    const start = Buffer.from(head)
    this.#makeRoom(start.byteLength)
    this.#add(start)
    let first = true
    for (const item of items) {
      const full = this.#makeRoom(item.byteLength + between.byteLength)
      if (full) yield full
      if (!first) this.#add(between)
      first = false
      const skipped = itemHead !== '' && startsWith(item, skip) ? skip.byteLength : 0
      if (skipped > 0) this.#buffer[this.#at++] = brace
      this.#add(skipped > 0 ? item.subarray(skipped) : item)
    }
    const end = Buffer.from(tail)
    const full = this.#makeRoom(end.byteLength)
    if (full) yield full
    this.#add(end)
    yield new Chunk(this.#buffer, this.#at)
  }

  #add(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.byteLength
  }

  /** Makes sure that so many bytes have their place, in another buffer if need be; gives the chunk that is full. */
  #makeRoom(bytes: number): Chunk | undefined {
    if (this.#at + bytes + roomAfter <= this.#buffer.byteLength) return undefined
    const full = this.#at > roomBefore ? new Chunk(this.#buffer, this.#at) : undefined
    const needed = roomBefore + bytes + roomAfter
    const index = this.#buffers[0] === this.#buffer ? 1 : 0
    const reused = this.#buffers[index]
    this.#buffer = reused && reused.byteLength >= needed ? reused : newBuffer(needed)
    this.#buffers[index] = this.#buffer
    this.#at = roomBefore
    return full
  }
}

/** Of lists that have been sent: with fresh memory for each, thousands of lists would have the whole heap collected again and again. */
const spare: Buffer<ArrayBuffer>[] = []
const spareMax = 4

const newBuffer = (bytes: number): Buffer<ArrayBuffer> =>
  bytes > chunkBytes ? Buffer.allocUnsafeSlow(bytes) : (spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes))

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.byteLength < head.byteLength) return false
  for (let i = 0; i < head.byteLength; i++) if (bytes[i] !== head[i]) return false
  return true
}

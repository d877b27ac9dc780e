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

/**
 * A list's body in chunks of about 256 KiB. Each is made when it is asked for, so that whoever writes them waits for the socket in between; and only the last
 * two stay as they are, since fresh memory for each would be ten times a list's size before it is collected.
 */
export function* listChunks({
  head,
  items,
  tail,
  itemHead = '',
  separator = ',',
}: ListBody): Generator<Buffer, void, undefined> {
  const skip = Buffer.from(`{${itemHead}`)
  const between = Buffer.from(separator)
  const buffers = [Buffer.allocUnsafeSlow(Math.max(chunkBytes, head.length * 3))]
  let made = 0
  let chunk = buffers[0]!
  let at = typeof head === 'string' ? chunk.write(head) : head.byteLength
  if (typeof head !== 'string') chunk.set(head)
  let first = true
  for (const item of items) {
    const needed = item.byteLength + between.byteLength
    if (at + needed > chunk.byteLength) {
      if (at > 0) yield chunk.subarray(0, at)
      made++
      const reused = buffers[made % 2]
      chunk = reused && reused.byteLength >= needed ? reused : Buffer.allocUnsafeSlow(Math.max(chunkBytes, needed))
      buffers[made % 2] = chunk
      at = 0
    }
    if (!first) {
      chunk.set(between, at)
      at += between.byteLength
    }
    first = false
    const skipped = itemHead !== '' && startsWith(item, skip) ? skip.byteLength : 0
    if (skipped > 0) chunk[at++] = brace
    chunk.set(skipped > 0 ? item.subarray(skipped) : item, at)
    at += item.byteLength - skipped
  }
  const end = Buffer.from(tail)
  yield Buffer.concat([chunk.subarray(0, at), end])
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.byteLength < head.byteLength) return false
  for (let i = 0; i < head.byteLength; i++) if (bytes[i] !== head[i]) return false
  return true
}

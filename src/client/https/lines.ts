/** The longest line that is taken: an object is at most a few MB. */
const lineBytesMax = 64 << 20

/** The lines of a byte stream, without their ends; a last line without end is dropped, since it was cut off. */
export async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let held = 0
  for await (const raw of stream) {
    const chunk = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const tail = chunk.subarray(start, end)
      const line = parts.length === 0 ? tail.toString() : Buffer.concat([...parts, tail]).toString()
      parts = []
      held = 0
      start = end + 1
      if (line !== '') yield line
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start))
      held += chunk.length - start
      if (held > lineBytesMax) throw new Error(`a line of the stream is longer than ${lineBytesMax} bytes`)
    }
  }
}

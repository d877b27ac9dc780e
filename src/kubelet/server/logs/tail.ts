import type { FileHandle } from 'node:fs/promises'

const blockBytes = 64 * 1024

/** Where the last `lines` lines of a file begin. Entries of a log count, partial ones too. */
export async function tailStart(file: FileHandle, lines: number): Promise<number> {
  let { size: end } = await file.stat()
  if (lines <= 0) return end
  const block = Buffer.alloc(blockBytes)
  // The end of the last line is none between two.
  let left = lines + 1
  let first = true
  while (end > 0) {
    const start = Math.max(0, end - blockBytes)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    let at = bytesRead
    // A file that does not end with a line's end has one line more.
    if (first && bytesRead > 0 && block[bytesRead - 1] !== 0x0a) left--
    first = false
    while ((at = at === 0 ? -1 : block.lastIndexOf(0x0a, at - 1)) >= 0) if (--left === 0) return start + at + 1
    end = start
  }
  return 0
}

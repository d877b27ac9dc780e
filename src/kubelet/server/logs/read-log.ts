import { open, stat, type FileHandle } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { FolderChanges } from './folder-changes.ts'
import { LogFilter } from './log-filter.ts'
import type { LogOptions } from './log-options.ts'
import { tailStart } from './tail.ts'

/** A container's log. */
export interface LogSource {
  readonly clock: Clock
  readonly path: string
  /** Whether more can come. */
  isRunning(): Promise<boolean>
}

const blockBytes = 64 * 1024
/** A container that has ended is noticed at most so late. */
const lookEveryMs = 1000

/**
 * A container's log from its file, in pieces; the file in use only, as upstream does. When it is followed: until the container has ended and all is read, the
 * limit is reached or the signal aborts. Rejects when there is no such file. A log that is rotated meanwhile is read to its end, and then the new one from its beginning.
 */
export async function readLog(
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): Promise<AsyncGenerator<Buffer>> {
  return pieces(await open(source.path, 'r'), source, options, signal)
}

async function* pieces(
  opened: FileHandle,
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const filter = new LogFilter(options)
  let file = opened
  try {
    let at = options.tailLines === undefined ? 0 : await tailStart(file, options.tailLines)
    const block = Buffer.alloc(blockBytes)
    using changes = options.follow ? new FolderChanges(source.path, source.clock) : undefined
    let ended = false
    let complete = false
    while (!signal.aborted && !filter.full) {
      const { bytesRead } = await file.read(block, 0, blockBytes, at)
      at += bytesRead
      if (bytesRead > 0) {
        const out = filter.take(block.subarray(0, bytesRead))
        if (out.length > 0) yield out
        continue
      }
      if (complete) {
        // Read to its end after it was moved away.
        const out = filter.flush()
        if (out.length > 0) yield out
        await file.close()
        file = await open(source.path, 'r')
        at = 0
        complete = false
        continue
      }
      complete = changes !== undefined && (await isReplaced(file, source.path))
      if (complete) continue
      if (!changes || ended) break
      if (await changes.next(lookEveryMs, signal)) continue
      // What it wrote last is read once more.
      ended = !(await source.isRunning())
    }
    const rest = filter.flush()
    if (rest.length > 0 && !signal.aborted) yield rest
  } finally {
    await file.close()
  }
}

/** Another file is at the path now: the runtime writes no more to this one. */
async function isReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [ours, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]) // Between moving away and opening anew there is none.
  return there !== undefined && (there.ino !== ours.ino || there.dev !== ours.dev)
}

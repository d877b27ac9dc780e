import { LogFilter } from './log-filter.ts'
import type { LogOptions } from './log-options.ts'

/** A log that a runtime keeps in memory, as if it were in a file. */
export async function* keptLines(lines: readonly { readonly timeMs: number; readonly text: string }[], options: LogOptions): AsyncGenerator<Buffer> {
  const filter = new LogFilter(options)
  const wanted = options.tailLines === undefined ? lines : options.tailLines === 0 ? [] : lines.slice(-options.tailLines)
  const out = filter.take(Buffer.from(wanted.map(({ timeMs, text }) => `${new Date(timeMs).toISOString()} stdout F ${text}\n`).join('')))
  if (out.length > 0) yield out
}

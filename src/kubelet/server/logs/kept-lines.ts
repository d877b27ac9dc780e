import type { Clock } from '../../../base/clock.ts'
import { LogFilter } from './log-filter.ts'
import type { LogOptions } from './log-options.ts'

/** A log that a runtime keeps in memory. */
export interface KeptLog {
  readonly clock: Clock
  lines(): Promise<readonly { readonly timeMs: number; readonly text: string }[]>
  /** Whether more can come. */
  isRunning(): Promise<boolean>
}

/** So often a log that is followed is looked at. */
const lookEveryMs = 1000

/** What such a log holds, as if it were in a file. */
export async function* keptLines(
  { clock, lines, isRunning }: KeptLog,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const filter = new LogFilter(options)
  let known = await lines()
  let given = options.tailLines === undefined ? 0 : Math.max(0, known.length - options.tailLines)
  for (let ended = !options.follow; !filter.full; known = await lines()) {
    const text = known
      .slice(given)
      .map(({ timeMs, text: line }) => `${new Date(timeMs).toISOString()} stdout F ${line}\n`)
    given = known.length
    const out = filter.take(Buffer.from(text.join('')))
    if (out.length > 0) yield out
    if (ended || signal.aborted) return
    ended = !(await isRunning())
    if (!ended) await clock.sleep(lookEveryMs, signal).catch(() => undefined) // Aborted: seen above.
  }
}

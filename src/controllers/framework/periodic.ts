import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'

/** Something that is done again and again. */
export interface Periodic {
  close(): Promise<void>
}

/** Does `act` now and then each `periodMs` after it was done, never twice at a time. A failure is logged, and does not end it. */
export function periodically(
  deps: { readonly clock: Clock; readonly log: Logger },
  periodMs: number,
  act: (signal: AbortSignal) => Promise<void>,
): Periodic {
  const stop = new AbortController()
  const loop = async () => {
    while (!stop.signal.aborted) {
      try {
        await act(stop.signal)
      } catch (error) {
        if (!stop.signal.aborted) deps.log.info({ err: error }, 'a periodic task failed; it is done again')
      }
      try {
        await deps.clock.sleep(periodMs, stop.signal)
      } catch {
        return // closed
      }
    }
  }
  const done = loop()
  return {
    async close() {
      stop.abort(new Error('closed'))
      await done
    },
  }
}

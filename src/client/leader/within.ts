import type { Clock } from '../../base/clock.ts'

/** A time limit that runs. */
export interface TimeLimit {
  /** Aborted when the time is over, or the outer signal is aborted. */
  readonly signal: AbortSignal
  /** Rejects then. */
  readonly ended: Promise<never>
  /** What had to be done is done: lets go of timer and outer signal. */
  done(): void
}

/** A limit of `ms` for something that `outer` may call off earlier. */
export function within(clock: Clock, ms: number, outer?: AbortSignal): TimeLimit {
  const own = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    own.signal.addEventListener('abort', () => reject(own.signal.reason), { once: true })
  })
  // Who waits for it hears of it; mostly nobody does.
  ended.catch(() => {})
  const abort = () => own.abort(outer?.reason)
  if (outer?.aborted) abort()
  outer?.addEventListener('abort', abort)
  const cancel = clock.after(ms, () => own.abort(new Error(`no answer within ${ms / 1000} s`)))
  return {
    signal: own.signal,
    ended,
    done() {
      cancel()
      outer?.removeEventListener('abort', abort)
    },
  }
}

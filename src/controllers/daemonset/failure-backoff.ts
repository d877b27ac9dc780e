import type { Clock } from '../../base/clock.ts'

const firstMs = 1000
const maxMs = 15 * 60_000

/** How long something that keeps failing waits before the next attempt: twice as long each time, forgotten when it has held for long. */
export class FailureBackoff {
  readonly #clock: Clock
  readonly #entries = new Map<string, { waitMs: number; lastMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long to wait yet; 0: go on now, which counts as an attempt. */
  waitMs(key: string): number {
    const nowMs = this.#clock.now()
    for (const [old, { lastMs }] of this.#entries) if (nowMs - lastMs > 2 * maxMs) this.#entries.delete(old)
    const entry = this.#entries.get(key)
    if (!entry) {
      this.#entries.set(key, { waitMs: firstMs, lastMs: nowMs })
      return 0
    }
    const leftMs = entry.lastMs + entry.waitMs - nowMs
    if (leftMs > 0) return leftMs
    entry.waitMs = Math.min(maxMs, entry.waitMs * 2)
    entry.lastMs = nowMs
    return 0
  }
}

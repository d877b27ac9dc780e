import type { Clock } from '../../base/clock.ts'

interface Entry {
  readonly delayMs: number
  readonly sinceMs: number
}

/** Waits that double with each failure, by key; a key that was quiet for twice the longest wait begins anew. */
export class BackOff {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #firstMs: number
  readonly #maxMs: number

  constructor(clock: Clock, firstMs: number, maxMs: number) {
    this.#clock = clock
    this.#firstMs = firstMs
    this.#maxMs = maxMs
  }

  /** Notes a failure at `atMs`: the wait is the first one, or twice the last. */
  next(key: string, atMs: number): void {
    const known = this.#entries.get(key)
    const delayMs = !known || this.#expired(known, atMs) ? this.#firstMs : Math.min(this.#maxMs, known.delayMs * 2)
    this.#entries.set(key, { delayMs, sinceMs: this.#clock.now() })
  }

  /** The wait that the last failure set; 0 when there was none. */
  delayMs(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0
  }

  /** Whether what failed at `failedMs` still has to wait. */
  waitsSince(key: string, failedMs: number): boolean {
    const known = this.#entries.get(key)
    if (!known || this.#expired(known, failedMs)) return false
    return this.#clock.now() - failedMs < known.delayMs
  }

  /** Whether the wait since the last `next` is not over. */
  waits(key: string): boolean {
    const known = this.#entries.get(key)
    return (
      known !== undefined &&
      !this.#expired(known, this.#clock.now()) &&
      this.#clock.now() - known.sinceMs < known.delayMs
    )
  }

  /** When the wait since the last `next` is over. */
  untilMs(key: string): number {
    const known = this.#entries.get(key)
    return known ? known.sinceMs + known.delayMs : 0
  }

  /** Forgets every key that begins so. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  #expired(entry: Entry, atMs: number): boolean {
    return atMs - entry.sinceMs > 2 * this.#maxMs
  }
}

/** A duration as Go prints it: 10s, 1m20s, 5m0s. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return h > 0 ? `${h}h${m}m${s}s` : m > 0 ? `${m}m${s}s` : `${s}s`
}

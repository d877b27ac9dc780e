/** What is not asked for any more is forgotten when there are so many. */
const keysMax = 10_000
/** Two readings closer than this say nothing about a rate. */
const apartMs = 500

/** CPU rates from readings of CPU time. */
export class Rates {
  readonly #last = new Map<
    string,
    { readonly nanos: number; readonly timeMs: number; readonly rate: number | undefined }
  >()

  /** Nanocores since the reading before; undefined at the first. */
  of(key: string, nanos: number, timeMs: number): number | undefined {
    const last = this.#last.get(key)
    if (last && timeMs - last.timeMs < apartMs) return last.rate
    // A smaller figure is that of another container of the same name.
    const rate =
      last && nanos >= last.nanos ? Math.round(((nanos - last.nanos) / (timeMs - last.timeMs)) * 1000) : undefined
    this.#last.delete(key)
    this.#last.set(key, { nanos, timeMs, rate })
    if (this.#last.size > keysMax) this.#last.delete(this.#last.keys().next().value!)
    return rate
  }
}

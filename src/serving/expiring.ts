import type { Clock } from '../base/clock.ts'

/** Entries kept at a time; the oldest go. */
const entriesMax = 4096

/** Values that are true for a while only. */
export class Expiring<Value> {
  readonly #clock: Clock
  readonly #entries = new Map<string, { readonly value: Value; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.untilMs > this.#clock.now()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: Value, forMs: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, untilMs: this.#clock.now() + forMs })
    if (this.#entries.size > entriesMax) this.#entries.delete(this.#entries.keys().next().value!)
  }
}

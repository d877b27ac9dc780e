import type { Clock } from '../../base/clock.ts'

/** Whether the proxy keeps up: a change that waits longer than the limit makes it unhealthy. */
export class ProxyHealth {
  readonly #clock: Clock
  readonly #timeoutMs: number
  #lastUpdatedMs: number | undefined
  #queuedMs: number | undefined

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A change came that the rules do not show yet. */
  queued(): void {
    this.#queuedMs ??= this.#clock.now()
  }

  /** The rules are as they should be. */
  updated(): void {
    this.#queuedMs = undefined
    this.#lastUpdatedMs = this.#clock.now()
  }

  get healthy(): boolean {
    // Before the first sync there is nothing to fall behind of.
    return (
      this.#lastUpdatedMs === undefined ||
      this.#queuedMs === undefined ||
      this.#clock.now() - this.#queuedMs < this.#timeoutMs
    )
  }

  /** When the rules were last brought up to date, in upstream's words: now, as long as all is well. */
  get lastUpdatedMs(): number {
    return this.healthy ? this.#clock.now() : (this.#lastUpdatedMs ?? 0)
  }
}

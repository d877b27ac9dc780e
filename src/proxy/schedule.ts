import type { Clock } from '../base/clock.ts'

/** When to sync, and what to call. */
export interface ScheduleOptions {
  readonly clock: Clock
  /** Syncs begin at least this far apart; the first one after a rest begins at once. */
  readonly minPeriodMs: number
  /** A failed sync is tried again after 1 s, 2 s, 4 s … and at most this. */
  readonly retryMaxMs: number
  /** One sync; false when it failed. Does not throw. */
  readonly sync: () => Promise<boolean>
}

const retryMinMs = 1000

/** Runs syncs one at a time: as many requests as come while one waits or runs become one. */
export class SyncSchedule {
  readonly #o: ScheduleOptions
  #cancel: (() => void) | undefined
  #busy: Promise<void> | undefined
  #requested = false
  #failures = 0
  #lastStartMs = -Infinity
  #closed = false
  #waiters: (() => void)[] = []

  constructor(options: ScheduleOptions) {
    this.#o = options
  }

  /** A sync is wanted. */
  request(): void {
    this.#requested = true
    this.#arm(0)
  }

  /** Whether a sync, or other work, is under way. */
  get busy(): boolean {
    return this.#busy !== undefined
  }

  /** Does other work that must not run beside a sync; requests wait until it is done. */
  async exclusive(work: () => Promise<void>): Promise<void> {
    while (this.#busy) await this.#busy
    if (this.#closed) return
    this.#begin(work)
    await this.#busy
  }

  /** Resolves when everything that was requested so far has been synced, or has failed. */
  async settled(): Promise<void> {
    if (!this.#requested && this.#busy === undefined) return
    await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** Begins nothing more; resolves when what runs is done. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#busy
    this.#tell()
  }

  #arm(delayMs: number): void {
    if (this.#closed || this.#busy || this.#cancel) return
    const waitMs = Math.max(delayMs, this.#lastStartMs + this.#o.minPeriodMs - this.#o.clock.now(), 0)
    this.#cancel = this.#o.clock.after(waitMs, () => {
      this.#cancel = undefined
      // Other work has begun meanwhile; its end arms this again.
      if (!this.#busy && !this.#closed) this.#begin(() => this.#sync())
    })
  }

  async #sync(): Promise<void> {
    this.#requested = false
    this.#lastStartMs = this.#o.clock.now()
    this.#failures = (await this.#o.sync()) ? 0 : this.#failures + 1
  }

  #begin(work: () => Promise<void>): void {
    this.#busy = work().finally(() => {
      this.#busy = undefined
      if (!this.#requested) this.#tell()
      if (this.#failures > 0) this.#retry()
      else if (this.#requested) this.#arm(0)
    })
  }

  #retry(): void {
    this.#requested = true
    this.#arm(Math.min(retryMinMs * 2 ** Math.min(this.#failures - 1, 20), this.#o.retryMaxMs))
  }

  #tell(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}

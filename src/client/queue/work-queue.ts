import type { Deps } from '../../base/deps.ts'
import { defaultRateLimits, rateLimiter, type RateLimiter, type RateLimits } from './rate-limiter.ts'
import { queueMetrics, type QueueMetrics } from './queue-metrics.ts'

/** What a queue works with. */
export interface WorkQueueOptions {
  readonly deps: Deps
  /** The controller's name: label of its metrics. */
  readonly name: string
  readonly limits?: RateLimits
}

/** After this many keys a worker lets others have their turn: work that finds nothing to do would never leave the microtask queue. */
const turnKeys = 64
/** The longest that a timer of Node holds, and how much too early it may fire. */
const timerMaxMs = 2 ** 31 - 1
const earlyMs = 1

/**
 * The keys that a controller has to look at. A key is in the queue at most once, however often it is added; it is never worked on twice at
 * the same time: what is added meanwhile comes again afterwards.
 */
export class WorkQueue {
  readonly #deps: Deps
  readonly #limiter: RateLimiter
  readonly #metrics: QueueMetrics
  /** In the order in which they are worked on. Those in it are in `dirty`. */
  readonly #order: string[] = []
  #head = 0
  /** What needs work: waiting, or to be put back when its worker is done. */
  readonly #dirty = new Set<string>()
  readonly #processing = new Map<string, number>()
  /** Keys that come later: when, and how to call it off. */
  readonly #later = new Map<string, { readonly atMs: number; readonly cancel: () => void }>()
  readonly #addedMs = new Map<string, number>()
  #wake: (() => void)[] = []
  #closed = false
  readonly #workers: Promise<void>[] = []

  constructor({ deps, name, limits = defaultRateLimits }: WorkQueueOptions) {
    this.#deps = deps
    this.#limiter = rateLimiter(deps.clock, limits)
    this.#metrics = queueMetrics(deps.metrics, name)
    deps.metrics.onScrape(() => {
      const started = [...this.#processing.values()]
      const nowMs = deps.clock.now()
      this.#metrics.unfinished.set(started.reduce((sum, ms) => sum + (nowMs - ms), 0) / 1000, this.#metrics.labels)
      this.#metrics.longest.set(started.reduce((max, ms) => Math.max(max, nowMs - ms), 0) / 1000, this.#metrics.labels)
    })
  }

  /** How many keys wait. */
  get length(): number {
    return this.#order.length - this.#head
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#metrics.adds.add(this.#metrics.labels)
    this.#dirty.add(key)
    if (!this.#processing.has(key)) this.#push(key)
  }

  /** Adds the key after `ms`; of several such calls the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return
    if (ms <= 0) return this.add(key)
    const atMs = this.#deps.clock.now() + ms
    const known = this.#later.get(key)
    if (known && known.atMs <= atMs) return
    known?.cancel()
    const cancel = this.#deps.clock.after(ms, () => {
      this.#later.delete(key)
      // A real timer holds at most 24 days and may fire early. What is left is not more than that: the time of day may have been set back.
      this.addAfter(key, Math.min(atMs - this.#deps.clock.now(), Math.max(ms - timerMaxMs, earlyMs)))
    })
    this.#later.set(key, { atMs, cancel })
  }

  /** Adds the key after the wait that its failures so far ask for. */
  addRateLimited(key: string): void {
    this.#metrics.retries.add(this.#metrics.labels)
    this.addAfter(key, this.#limiter.when(key))
  }

  /** The key succeeded: its next failure waits the first time again. */
  forget(key: string): void {
    this.#limiter.forget(key)
  }

  /** How often the key failed in a row. */
  retries(key: string): number {
    return this.#limiter.retries(key)
  }

  /** Works on keys, `parallel` at a time, until the queue is closed. `work` deals with its failures itself; what it throws all the same is retried with back-off. */
  run(parallel: number, work: (key: string) => Promise<void>): void {
    for (let i = 0; i < parallel; i++) this.#workers.push(this.#worker(work))
  }

  /** Takes no more; resolves when what was begun is done. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { cancel } of this.#later.values()) cancel()
    this.#later.clear()
    for (const wake of this.#wake.splice(0)) wake()
    await Promise.all(this.#workers)
  }

  async #worker(work: (key: string) => Promise<void>): Promise<void> {
    for (let done = 1; ; done++) {
      while (this.length === 0) {
        if (this.#closed) return
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
      if (this.#closed) return
      await this.#workOn(this.#pop(), work)
      if (done % turnKeys === 0) await this.#deps.clock.yield()
    }
  }

  async #workOn(key: string, work: (key: string) => Promise<void>): Promise<void> {
    const { clock, log } = this.#deps
    const startedMs = clock.now()
    this.#metrics.waited.observe((startedMs - (this.#addedMs.get(key) ?? startedMs)) / 1000, this.#metrics.labels)
    this.#addedMs.delete(key)
    this.#dirty.delete(key)
    this.#processing.set(key, startedMs)
    try {
      await work(key)
    } catch (error) {
      log.error({ err: error, key }, 'work failed; it is tried again')
      this.addRateLimited(key)
    }
    this.#processing.delete(key)
    this.#metrics.worked.observe((clock.now() - startedMs) / 1000, this.#metrics.labels)
    if (this.#dirty.has(key)) this.#push(key)
  }

  #push(key: string): void {
    this.#order.push(key)
    this.#addedMs.set(key, this.#deps.clock.now())
    this.#metrics.depth.set(this.length, this.#metrics.labels)
    this.#wake.shift()?.()
  }

  #pop(): string {
    const key = this.#order[this.#head++]!
    // The consumed front is cut off now and then, so that taking stays cheap.
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order.splice(0, this.#head)
      this.#head = 0
    }
    this.#metrics.depth.set(this.length, this.#metrics.labels)
    return key
  }
}

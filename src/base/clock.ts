/**
 * Time as a thing that is given. Components never call Date.now or setTimeout: on a virtual clock a test of five minutes takes none,
 * and a simulation replays exactly.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `fn` once after `ms`; the returned function cancels it and may be called at any time. Does not keep the process alive. */
  after(ms: number, fn: () => void): () => void
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Resolves in a later turn of the event loop: long work calls it so that others get their turn. */
  yield(): Promise<void>
}

/** The longest delay that a Node timer can hold. */
const timerMaxMs = 2 ** 31 - 1

abstract class ClockBase implements Clock {
  abstract now(): number
  abstract after(ms: number, fn: () => void): () => void
  abstract yield(): Promise<void>

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        cancel()
        reject(signal!.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

class RealClock extends ClockBase {
  now(): number {
    return Date.now()
  }

  // Unlike `after`, a sleep that is waited for keeps the process alive: a command must not end in the middle.
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        clearTimeout(timer)
        reject(signal!.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        Math.min(Math.max(0, ms), timerMaxMs),
      )
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  after(ms: number, fn: () => void): () => void {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), timerMaxMs))
    timer.unref()
    return () => clearTimeout(timer)
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}

/** The machine's clock. */
export const realClock: Clock = new RealClock()

interface Timer {
  readonly atMs: number
  readonly order: number
  /** Undefined: cancelled. What it would have used is let go at once, not when its time has come. */
  fn: (() => void) | undefined
}

/** How many turns of the event loop `settle` allows before it says that something spins. */
const settleTurnsMax = 1_000_000

/**
 * A clock that moves only when told to. `advance` first lets every pending promise run, then fires timers one instant at a time,
 * letting everything settle in between, so that what one timer causes happens before the next one.
 */
export class VirtualClock extends ClockBase {
  #nowMs: number
  #order = 0
  #yielding = 0
  /** A binary heap by time, then by order of creation. */
  readonly #heap: Timer[] = []

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    super()
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  after(ms: number, fn: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fn }
    push(this.#heap, timer)
    return () => {
      timer.fn = undefined
    }
  }

  async yield(): Promise<void> {
    this.#yielding++
    await new Promise((resolve) => setImmediate(resolve))
    this.#yielding--
  }

  /** Resolves when every promise that can run without time passing has run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurnsMax; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#yielding === 0) {
        await new Promise((resolve) => setImmediate(resolve))
        if (this.#yielding === 0 && !this.#due(this.#nowMs)) return
        this.#fireNext(this.#nowMs)
      }
    }
    throw new Error(
      `virtual clock: still busy after ${settleTurnsMax} turns of the event loop; something schedules work for ever`,
    )
  }

  /** Moves time on by `ms`, firing what falls due on the way. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms
    await this.settle()
    for (;;) {
      const next = this.#due(targetMs)
      if (!next) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#fireNext(targetMs)
      await this.settle()
    }
    this.#nowMs = targetMs
  }

  /** When the next timer fires, or undefined when none waits. */
  nextTimerMs(): number | undefined {
    return this.#due(Infinity)?.atMs
  }

  #due(untilMs: number): Timer | undefined {
    while (this.#heap[0] && !this.#heap[0].fn) pop(this.#heap)
    const first = this.#heap[0]
    return first && first.atMs <= untilMs ? first : undefined
  }

  #fireNext(untilMs: number): void {
    if (!this.#due(untilMs)) return
    pop(this.#heap)?.fn?.()
  }
}

const before = (a: Timer, b: Timer) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(timer, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = timer
}

function pop(heap: Timer[]): Timer | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}

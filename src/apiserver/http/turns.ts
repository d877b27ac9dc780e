import type { Clock } from '../../base/clock.ts'

/** How many bytes of bodies are worked on in one turn of the event loop: some milliseconds of writes of a few KiB each. */
const turnBytes = 32 * 1024
/** What is left of that in turns in which connections are set up, and how many turns setting one up takes. */
const arrivalShare = 1 / 16
const arrivalTurns = 2

/**
 * Lets requests with bodies in by turns of the event loop, in the order in which they came. Hundreds may arrive in one turn. Begun all at once, each would be answered when the last is,
 * no connection would be set up meanwhile (clients that wait for one open another), and what each makes of its body would outlive the collections of young memory, which is what makes
 * collecting expensive. Let in by portions, the first are on their way to the disk while the next are decoded.
 *
 * Nobody waits for somebody else to finish, so a request that makes another one (a webhook that asks back) cannot wait for itself.
 */
export class Turns {
  readonly #clock: Clock
  readonly #bytesMax: number
  #waiting: { readonly bytes: number; readonly begin: () => void }[] = []
  /** Let in during this turn. */
  #bytes = 0
  #turning = false
  /** So many turns still let in less. */
  #arrivals = 0

  constructor(clock: Clock, bytesMax: number = turnBytes) {
    this.#clock = clock
    this.#bytesMax = bytesMax
  }

  /** Calls `begin` now, or in the turn in which it is this request's. */
  enter(bytes: number, begin: () => void): void {
    if (this.#bytes >= (this.#arrivals > 0 ? this.#bytesMax * arrivalShare : this.#bytesMax)) {
      this.#waiting.push({ bytes, begin })
      return
    }
    this.#bytes += bytes
    this.#turn()
    begin()
  }

  /**
   * A connection is being set up, which takes precedence: clients of HTTP/1.1 that wait for one open another with each request that is answered meanwhile, and hundreds of
   * connections that nobody needs cost a handshake and some 60 KiB each.
   */
  arrival(): void {
    this.#arrivals = arrivalTurns
    this.#turn()
  }

  #turn(): void {
    if (!this.#turning) void this.#clock.yield().then(() => this.#next())
    this.#turning = true
  }

  #next(): void {
    this.#bytes = 0
    if (this.#arrivals > 0) this.#arrivals--
    this.#turning = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const { bytes, begin } of waiting) this.enter(bytes, begin)
    if (this.#arrivals > 0) this.#turn()
  }
}

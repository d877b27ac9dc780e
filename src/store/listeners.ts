import type { Logger } from '../base/log.ts'
import type { Change, StoreWatch } from './store.ts'

type Listener = (changes: readonly Change[]) => void

interface Registration {
  readonly prefix: string
  /** Changes up to this revision are not this listener's: it knows them, or did not ask for them. */
  readonly afterRevision: number
  readonly listener: Listener
}

/** Who watches which prefix, and the telling of it. A listener that throws is logged: it must not keep others from hearing. */
export class Listeners {
  readonly #log: Logger
  readonly #registrations = new Set<Registration>()
  /** Batches that came while one was being told: a listener wrote. They wait, so that everybody hears in revision order. */
  readonly #waiting: (readonly Change[])[] = []
  #telling = false

  constructor(log: Logger) {
    this.#log = log
  }

  add(prefix: string, afterRevision: number, listener: Listener): StoreWatch {
    const registration = { prefix, afterRevision, listener }
    this.#registrations.add(registration)
    return { close: () => void this.#registrations.delete(registration) }
  }

  /** Tells everybody. Called from within a listener, it returns before the batch has been told. */
  tell(changes: readonly Change[]): void {
    this.#waiting.push(changes)
    if (this.#telling) return
    this.#telling = true
    try {
      for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) this.#tellAll(batch)
    } finally {
      this.#telling = false
    }
  }

  /** Tells one listener, history for example. */
  tellOne(listener: Listener, changes: readonly Change[]): void {
    try {
      listener(changes)
    } catch (error) {
      this.#log.error({ err: error }, 'a watcher of the store failed')
    }
  }

  clear(): void {
    this.#registrations.clear()
  }

  #tellAll(batch: readonly Change[]): void {
    for (const { prefix, afterRevision, listener } of this.#registrations) {
      const matches = ({ key, revision }: Change) => revision > afterRevision && key.startsWith(prefix)
      const matching = batch.length === 1 ? (matches(batch[0]!) ? batch : none) : batch.filter(matches)
      if (matching.length > 0) this.tellOne(listener, matching)
    }
  }
}

const none: readonly Change[] = []

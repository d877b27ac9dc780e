import type { Logger } from '../base/log.ts'
import type { Change, StoreWatch } from './store.ts'

type Listener = (changes: readonly Change[]) => void

interface Registration {
  readonly prefix: string
  /** Changes up to this revision are not this listener's: it knows them, or did not ask for them. */
  readonly afterRevision: number
  readonly listener: Listener
  closed: boolean
}

/** Who watches which prefix, and the telling of it. A listener that throws is logged: it must not keep others from hearing. */
export class Listeners {
  readonly #log: Logger
  /** By prefix, those that end in a slash: there is one for each kind, and a change concerns one or two of them. */
  readonly #folders = new Map<string, Set<Registration>>()
  /** All others. */
  readonly #others = new Set<Registration>()
  /** Batches that came while one was being told: a listener wrote. They wait, so that everybody hears in revision order. */
  readonly #waiting: (readonly Change[])[] = []
  #telling = false

  constructor(log: Logger) {
    this.#log = log
  }

  add(prefix: string, afterRevision: number, listener: Listener): StoreWatch {
    const registration = { prefix, afterRevision, listener, closed: false }
    const peers = prefix.endsWith('/') ? this.#folder(prefix) : this.#others
    peers.add(registration)
    return {
      close: () => {
        registration.closed = true
        peers.delete(registration)
        if (peers.size === 0 && this.#folders.get(prefix) === peers) this.#folders.delete(prefix)
      },
    }
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
    for (const peers of [...this.#folders.values(), this.#others])
      for (const registration of peers) registration.closed = true
    this.#folders.clear()
    this.#others.clear()
  }

  #folder(prefix: string): Set<Registration> {
    let folder = this.#folders.get(prefix)
    if (!folder) this.#folders.set(prefix, (folder = new Set()))
    return folder
  }

  #tellAll(batch: readonly Change[]): void {
    const told = new Map<Registration, Change[]>()
    const note = (registration: Registration, change: Change): void => {
      if (change.revision <= registration.afterRevision) return
      const changes = told.get(registration)
      if (changes) changes.push(change)
      else told.set(registration, [change])
    }
    for (const change of batch) {
      const { key } = change
      for (let end = key.indexOf('/') + 1; end > 0; end = key.indexOf('/', end) + 1) {
        const folder = this.#folders.get(key.slice(0, end))
        if (folder) for (const registration of folder) note(registration, change)
      }
      for (const registration of this.#others) if (key.startsWith(registration.prefix)) note(registration, change)
    }
    for (const [registration, changes] of told) if (!registration.closed) this.tellOne(registration.listener, changes)
  }
}

import type { Deps } from '../../base/deps.ts'
import type { EventEncoding, Selection } from './cache.ts'
import type { ObjectChange, ObjectHistory } from './history.ts'
import { SharedBatch, SharedEvent, batchEnd } from './shared-event.ts'
import type { StoredObject } from './stored-object.ts'
import { Watcher, type WatcherHost } from './watcher.ts'

/** How often watches that asked for bookmarks get one, as upstream's. */
const bookmarkMs = 60_000
/** How many watches take a batch in one turn of the event loop: some milliseconds with a socket each. */
const takesPerTurn = 128
/** After a round, events wait so many times as long as it took for others to leave with, and at most so long. */
const restFactor = 4
const restMsMax = 30

/** Watches that get the same: events are chosen, and become bytes, once for all of them. */
interface Group {
  readonly key: string
  readonly bucket: string
  readonly selection: Selection
  readonly encoding: EventEncoding | undefined
  readonly bookmarks: boolean
  readonly members: Set<Watcher>
  /** Chosen in this round, not sent yet. */
  events: SharedEvent[]
}

/** What fan-out needs of the cache. */
export interface FanOutOptions extends Deps {
  readonly history: ObjectHistory
  readonly indexedFields: readonly string[]
  readonly namespaced: boolean
  /** The revision of the newest write, of any object. */
  readonly revision: () => number
}

/**
 * Hands changes to watches, all of one turn of the event loop together. Groups lie in buckets by what their selection fixes (an object, an indexed
 * field's value, a namespace), so that a change costs nothing for the thousands of watches that are about other nodes' pods.
 */
export class FanOut implements WatcherHost {
  readonly log
  readonly #options: FanOutOptions
  readonly #groups = new Map<string, Group>()
  readonly #buckets = new Map<string, Set<Group>>()
  readonly #paused = new Set<Watcher>()
  readonly #keys = new WeakMap<Watcher, string>()
  readonly #encodings = new WeakMap<EventEncoding, number>()
  #encodingsSeen = 0
  #anonymous = 0
  /** Not handed on yet. */
  #changes: ObjectChange[] = []
  /** Being handed on. */
  #leaving: readonly ObjectChange[] = []
  #handingOn = false
  #taken = 0
  #bookmarkWatches = 0
  #cancelBookmarks: (() => void) | undefined

  constructor(options: FanOutOptions) {
    this.#options = options
    this.log = options.log
  }

  /** Takes a change; it leaves at the end of this turn of the event loop, or when the last ones have left. */
  add(change: ObjectChange): void {
    this.#changes.push(change)
    if (!this.#handingOn) this.later(() => this.#handOn())
    this.#handingOn = true
  }

  /** Adds a watch. It gets its backlog first, then everything after its `afterRevision`. */
  join(
    watcher: Watcher,
    backlog: { readonly initial: readonly StoredObject[]; readonly events: readonly SharedEvent[] },
  ): void {
    this.#groupOf(watcher).members.add(watcher)
    if (watcher.bookmarks && this.#bookmarkWatches++ === 0) this.#bookmarkLater()
    watcher.start(backlog.initial, backlog.events)
  }

  /** Ends all watches. */
  close(): void {
    this.#cancelBookmarks?.()
    for (const { members } of [...this.#groups.values()]) for (const watcher of [...members]) watcher.end()
    this.#changes = []
  }

  later(fn: () => void | Promise<void>): void {
    this.#options.clock
      .yield()
      .then(fn)
      .catch((error: unknown) => this.log.error({ err: error }, 'handing on changes failed'))
  }

  bookmarkRevision(): number {
    // What has not been handed on yet comes after the bookmark.
    const first = this.#leaving[0] ?? this.#changes[0]
    return first ? first.revision - 1 : this.#options.revision()
  }

  pausing(watcher: Watcher, paused: boolean): void {
    if (paused) this.#paused.add(watcher)
    else this.#paused.delete(watcher)
  }

  left(watcher: Watcher): void {
    this.#paused.delete(watcher)
    const group = this.#groups.get(this.#keyOf(watcher))
    if (!group?.members.delete(watcher)) return
    if (watcher.bookmarks && --this.#bookmarkWatches === 0) this.#cancelBookmarks?.()
    if (group.members.size > 0) return
    this.#groups.delete(group.key)
    const bucket = this.#buckets.get(group.bucket)!
    bucket.delete(group)
    if (bucket.size === 0) this.#buckets.delete(group.bucket)
  }

  /**
   * Hands on what has come until nothing is left. After a costly round (hundreds of watches) the next waits a few times as long as that took: then writers
   * get most of the time, and what they write leaves together, which costs a socket hardly more than one event.
   */
  async #handOn(): Promise<void> {
    const { clock } = this.#options
    while (this.#changes.length > 0) {
      const startMs = clock.now()
      await this.#round()
      const restMs = Math.min(restFactor * (clock.now() - startMs), restMsMax)
      if (restMs > 1) await this.#rest(restMs)
      // Sinks that write make changes of their own: those are for another turn.
      else if (this.#changes.length > 0) await clock.yield()
    }
    this.#handingOn = false
  }

  async #round(): Promise<void> {
    this.#leaving = this.#changes
    this.#changes = []
    try {
      const touched = new Set<Group>()
      for (const change of this.#leaving) this.#choose(change, touched)
      for (const group of touched) await this.#send(group)
      this.#cutOff()
    } finally {
      for (const change of this.#leaving) change.forgetBytes()
      this.#leaving = []
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve))
  }

  /** Gives a change to the groups that it concerns. */
  #choose(change: ObjectChange, touched: Set<Group>): void {
    for (const name of this.#bucketsOf(change)) {
      for (const group of this.#buckets.get(name) ?? noGroups) {
        const event = this.#eventFor(change, group)
        if (!event) continue
        group.events.push(event)
        touched.add(group)
      }
    }
  }

  /** A selector that fails ends its own watches, and only those. */
  #eventFor(change: ObjectChange, group: Group): SharedEvent | undefined {
    try {
      return change.eventFor(group.selection)
    } catch (error) {
      this.log.error({ err: error }, 'a watch cannot tell whether an object matches')
      for (const watcher of [...group.members]) watcher.end()
      return undefined
    }
  }

  async #send(group: Group): Promise<void> {
    const { events, encoding } = group
    group.events = []
    for (let from = 0; from < events.length;) {
      const end = batchEnd(events, from, encoding)
      const batch = new SharedBatch(from === 0 && end === events.length ? events : events.slice(from, end), encoding)
      // A watch that joins while this waits has these events already, or does not want them.
      for (const watcher of [...group.members]) {
        watcher.take(batch)
        if (++this.#taken % takesPerTurn === 0) await this.#options.clock.yield()
      }
      from = end
    }
  }

  /** Ends watches that wait for events which nobody else remembers: they would hold the memory. */
  #cutOff(): void {
    const { floor } = this.#options.history
    for (const watcher of [...this.#paused]) {
      const oldest = watcher.oldestRevision
      if (oldest !== undefined && oldest <= floor && watcher.afterRevision < floor) watcher.end()
    }
  }

  #bookmarkLater(): void {
    this.#cancelBookmarks = this.#options.clock.after(bookmarkMs, () => {
      for (const group of [...this.#groups.values()]) {
        if (!group.bookmarks) continue
        const batch = new SharedBatch([new SharedEvent('BOOKMARK', this.bookmarkRevision(), undefined)], group.encoding)
        for (const watcher of [...group.members]) watcher.take(batch)
      }
      this.#bookmarkLater()
    })
  }

  #groupOf(watcher: Watcher): Group {
    const key = this.#keyOf(watcher)
    let group = this.#groups.get(key)
    if (group) return group
    const { selection, encoding, bookmarks } = watcher
    group = { key, bucket: this.#bucketOf(selection), selection, encoding, bookmarks, members: new Set(), events: [] }
    this.#groups.set(key, group)
    const bucket = this.#buckets.get(group.bucket)
    if (bucket) bucket.add(group)
    else this.#buckets.set(group.bucket, new Set([group]))
    return group
  }

  /** Watches of the same key share a group. A selector without its text is nobody else's. */
  #keyOf(watcher: Watcher): string {
    let key = this.#keys.get(watcher)
    if (key !== undefined) return key
    const { selection, encoding, bookmarks } = watcher
    const { namespace, name, labels, fields, text } = selection
    const selector = text ?? (labels || fields ? this.#anonymous++ : '')
    key = JSON.stringify([
      namespace ?? null,
      name ?? null,
      selector,
      bookmarks,
      encoding ? this.#numberOf(encoding) : null,
    ])
    this.#keys.set(watcher, key)
    return key
  }

  #numberOf(encoding: EventEncoding): number {
    let number = this.#encodings.get(encoding)
    if (number === undefined) this.#encodings.set(encoding, (number = this.#encodingsSeen++))
    return number
  }

  #bucketOf({ namespace, name, fieldEquals }: Selection): string {
    for (const field of this.#options.indexedFields) {
      const value = fieldEquals?.[field]
      if (value !== undefined) return `field:${field}=${value}`
    }
    if (!this.#options.namespaced) return name === undefined ? 'all' : `key:${name}`
    if (namespace === undefined) return 'all'
    return name === undefined ? `namespace:${namespace}` : `key:${namespace}/${name}`
  }

  #bucketsOf({ object, previous }: ObjectChange): Iterable<string> {
    if (this.#buckets.size <= 1) return this.#buckets.keys()
    const buckets = ['all', `key:${object.key}`]
    if (this.#options.namespaced) buckets.push(`namespace:${object.namespace}`)
    for (const field of this.#options.indexedFields) {
      const now = object.field(field)
      buckets.push(`field:${field}=${now}`)
      const before = previous?.field(field)
      if (before !== undefined && before !== now) buckets.push(`field:${field}=${before}`)
    }
    return buckets
  }
}

const noGroups: readonly Group[] = []

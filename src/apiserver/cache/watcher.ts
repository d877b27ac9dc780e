import type { Logger } from '../../base/log.ts'
import type { CacheWatch, EventEncoding, Selection, WatchSink } from './cache.ts'
import { SharedBatch, SharedEvent, batchEnd } from './shared-event.ts'
import type { StoredObject } from './stored-object.ts'

/** Batches of its own that a watch sends in one turn of the event loop. */
const batchesPerTurn = 4

/** What a watcher needs of those who feed it. */
export interface WatcherHost {
  readonly log: Logger
  /** Calls `fn` in a later turn of the event loop. */
  later(fn: () => void): void
  /** The newest revision of which everything has been handed on. */
  bookmarkRevision(): number
  /** The watcher keeps up, or no longer does. */
  pausing(watcher: Watcher, paused: boolean): void
  left(watcher: Watcher): void
}

/**
 * One watch. While its sink takes everything it costs nothing but the call; when not, it is *paused* and what comes waits in its backlog: references
 * to events that the history holds anyway. When the history lets go of the oldest of them the watch is ended.
 *
 * It begins paused, with the initial objects or the missed events as its backlog.
 */
export class Watcher implements CacheWatch {
  readonly selection: Selection
  readonly encoding: EventEncoding | undefined
  readonly bookmarks: boolean
  /** Events up to here are not for it: its backlog has them, or it did not ask for them. */
  readonly afterRevision: number
  readonly #host: WatcherHost
  readonly #sink: WatchSink
  /** Objects to be told as added, before all events. */
  #initial: readonly StoredObject[] = []
  #initialAt = 0
  #events: SharedEvent[] = []
  #eventsAt = 0
  /** The sink takes more; the backlog is on its way. */
  #ready = true
  #pumping = false
  /** Something waits in the backlog, or the sink takes no more. */
  #paused = true
  /** Of the newest event or bookmark: a bookmark that others get late must not take this one back. */
  #takenRevision = 0
  closed = false

  constructor(
    host: WatcherHost,
    sink: WatchSink,
    options: {
      readonly selection: Selection
      readonly encoding: EventEncoding | undefined
      readonly bookmarks: boolean
      readonly afterRevision: number
    },
  ) {
    this.#host = host
    this.#sink = sink
    this.selection = options.selection
    this.encoding = options.encoding
    this.bookmarks = options.bookmarks
    this.afterRevision = options.afterRevision
  }

  /** Begins, in a later turn of the event loop. */
  start(initial: readonly StoredObject[], events: readonly SharedEvent[]): void {
    this.#initial = initial
    this.#events = [...events]
    this.#host.pausing(this, true)
    this.#pumpLater()
  }

  /** The revision of the oldest event that waits. */
  get oldestRevision(): number | undefined {
    return this.#events[this.#eventsAt]?.revision
  }

  /** Takes a batch that is shared with others. */
  take(batch: SharedBatch): void {
    const { events } = batch
    const { revision } = events.at(-1)!
    if (this.closed || !this.#concerns(events.at(-1)!) || revision < this.#takenRevision) return
    this.#takenRevision = revision
    const concerning = this.#concerns(events[0]!) ? events : events.filter((event) => this.#concerns(event))
    if (this.#paused) this.#events.push(...concerning)
    else this.#deliver(concerning === events ? batch : new SharedBatch(concerning, this.encoding))
  }

  resume(): void {
    if (this.closed || this.#ready) return
    this.#ready = true
    this.#pump()
  }

  bookmark(): void {
    if (this.closed) return
    const event = new SharedEvent('BOOKMARK', Math.max(this.#host.bookmarkRevision(), this.#takenRevision), undefined)
    this.take(new SharedBatch([event], this.encoding))
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.#initial = []
    this.#events = []
    this.#host.left(this)
  }

  /** Ends the watch from this side. */
  end(): void {
    if (this.closed) return
    this.close()
    try {
      this.#sink.end()
    } catch (error) {
      this.#host.log.error({ err: error }, 'ending a watch failed')
    }
  }

  #concerns({ type, revision }: SharedEvent): boolean {
    return type === 'BOOKMARK' ? revision >= this.afterRevision : revision > this.afterRevision
  }

  #deliver(batch: SharedBatch): void {
    try {
      this.#ready = this.#sink.deliver(batch)
    } catch (error) {
      this.#host.log.error({ err: error }, 'a watch could not take its events')
      return this.end()
    }
    if (!this.#ready && !this.#paused && !this.closed) {
      this.#paused = true
      this.#host.pausing(this, true)
    }
  }

  #pumpLater(): void {
    this.#pumping = true
    this.#host.later(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  /** Sends from the backlog while the sink takes it, some batches a turn. */
  #pump(): void {
    if (this.#pumping) return
    for (let sent = 0; sent < batchesPerTurn; sent++) {
      if (this.closed || !this.#ready) return
      const events = this.#next()
      if (events.length === 0) {
        this.#paused = false
        this.#host.pausing(this, false)
        return
      }
      this.#deliver(new SharedBatch(events, this.encoding))
    }
    if (!this.closed && this.#ready) this.#pumpLater()
  }

  /** What comes next in the backlog; empty when all has been sent. */
  #next(): readonly SharedEvent[] {
    if (this.#initialAt < this.#initial.length) {
      const end = batchEnd(this.#initial, this.#initialAt, this.encoding)
      const objects = this.#initial.slice(this.#initialAt, end)
      this.#initialAt = end
      if (end === this.#initial.length) this.#initial = []
      if (this.#initial.length === 0) this.#initialAt = 0
      return objects.map((object) => new SharedEvent('ADDED', object.revision, object))
    }
    const end = batchEnd(this.#events, this.#eventsAt, this.encoding)
    const events = this.#events.slice(this.#eventsAt, end)
    this.#eventsAt = end
    if (end === this.#events.length) {
      this.#events = []
      this.#eventsAt = 0
    }
    return events
  }
}

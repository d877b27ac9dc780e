import { OrderedMap } from '../../base/ordered-map.ts'
import { CompactedError } from '../../store/store.ts'
import type { Change, Entry, Store, StoreWatch } from '../../store/store.ts'
import type {
  CacheList,
  CacheListOptions,
  CacheWatch,
  CacheWatchOptions,
  CachedObject,
  ObjectCache,
  ObjectCacheOptions,
  Selection,
  WatchSink,
} from './cache.ts'
import { Document } from './document.ts'
import { listExpired, tooLargeResourceVersion, watchExpired } from './errors.ts'
import { FanOut } from './fan-out.ts'
import { ObjectChange, ObjectHistory } from './history.ts'
import { Indices } from './indices.ts'
import { Recent } from './recent.ts'
import { keyAfter, matches, scopeOf } from './selection.ts'
import { SharedEvent } from './shared-event.ts'
import { pageOf } from './snapshot.ts'
import { FieldTable, StoredObject } from './stored-object.ts'
import { Watcher } from './watcher.ts'

const historyEventsMax = 10_000
const historyBytesMax = 16 * 2 ** 20
/** How many objects are read from the store in one turn of the event loop. */
const loadMax = 200
/** How long a request waits for a resource version, as upstream's. */
const freshnessMs = 3000
const noUndo: ReadonlyMap<string, StoredObject | undefined> = new Map()

/** Opens the cache of one prefix: reads what is there, and follows it. */
export async function openObjectCache(options: ObjectCacheOptions): Promise<ObjectCache> {
  const { store, prefix, clock } = options
  const table = new FieldTable(options.fields)
  const objects = new OrderedMap<StoredObject>()
  // Pages of one revision, then what has been changed since: the watch begins where the pages were read.
  let revision: number | undefined
  let from: string | undefined
  for (;;) {
    const page = await store.range(prefix, {
      limit: loadMax,
      ...(from !== undefined && { from }),
      ...(revision !== undefined && { revision }),
    })
    revision ??= page.revision
    for (const entry of page.entries) {
      const object = objectOf(options, table, entry)
      object.prepare()
      objects.set(object.key, object)
    }
    if (!page.more) break
    from = keyAfter(page.entries.at(-1)!.key)
    await clock.yield()
  }
  return new StoreCache(options, table, { objects, revision })
}

function objectOf(
  { prefix, open }: ObjectCacheOptions,
  table: FieldTable,
  { key, value, modRevision }: Entry,
): StoredObject {
  const document =
    value instanceof Document ? value : open ? open(value.bytes, modRevision) : Document.ofBytes(value.bytes)
  return new StoredObject(key.slice(prefix.length), modRevision, document, table)
}

class StoreCache implements ObjectCache {
  readonly prefix: string
  readonly #options: ObjectCacheOptions
  readonly #store: Store
  readonly #table: FieldTable
  readonly #objects: OrderedMap<StoredObject>
  readonly #indices: Indices
  readonly #history: ObjectHistory
  readonly #fanOut: FanOut
  readonly #recent = new Recent()
  readonly #follow: StoreWatch

  constructor(
    options: ObjectCacheOptions,
    table: FieldTable,
    loaded: { readonly objects: OrderedMap<StoredObject>; readonly revision: number },
  ) {
    const { store, prefix, indexedFields = [] } = options
    this.prefix = prefix
    this.#options = options
    this.#store = store
    this.#table = table
    this.#objects = loaded.objects
    this.#indices = new Indices(loaded.objects, indexedFields)
    this.#history = new ObjectHistory(
      {
        changesMax: options.historyEventsMax ?? historyEventsMax,
        bytesMax: options.historyBytesMax ?? historyBytesMax,
      },
      loaded.revision,
    )
    this.#fanOut = new FanOut({ ...options, history: this.#history, indexedFields, revision: () => store.revision() })
    this.#follow = store.watch(prefix, loaded.revision, (changes) => changes.forEach((change) => this.#apply(change)))
  }

  revision(): number {
    return this.#store.revision()
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key)
  }

  count(namespace?: string): number {
    const { from, end } = scopeOf({ namespace }, this.#options.namespaced)
    return this.#objects.count(from, end)
  }

  listNow(selection: Selection = {}): readonly CachedObject[] {
    return pageOf(this.#source(noUndo), { selection, after: undefined, limit: Infinity }).entries
  }

  async list(options: CacheListOptions = {}): Promise<CacheList> {
    const { after, limit = Infinity } = options
    const now = this.revision()
    const revision = options.revision ?? now
    if (revision > now) throw tooLargeResourceVersion(revision, now)
    // Some of it may be in memory still: what the store has forgotten is gone for everybody.
    if (revision !== now && revision < this.#store.compactedRevision()) throw listExpired()
    if (revision < this.#history.floor) return this.#listOld(options, revision)
    const undo = revision === now ? noUndo : this.#history.undo(revision)
    return { ...pageOf(this.#source(undo), { selection: options, after, limit }), revision }
  }

  async waitForRevision(revision: number): Promise<void> {
    if (revision <= this.revision()) return
    const { clock } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Any write moves the revision on, whatever its prefix.
    const watch = this.#store.watch('', this.revision(), () => {
      if (this.revision() >= revision) resolve()
    })
    const cancel = clock.after(freshnessMs, () => reject(tooLargeResourceVersion(revision, this.revision())))
    try {
      await promise
    } finally {
      cancel()
      watch.close()
    }
  }

  async watch(options: CacheWatchOptions, sink: WatchSink): Promise<CacheWatch> {
    const { from, encoding, bookmarks = false } = options
    const missed =
      typeof from === 'number' && from < this.#history.floor
        ? await this.#changesBefore(from)
        : { changes: [], revision: typeof from === 'number' ? from : 0 }
    if (typeof from === 'number' && missed.revision < this.#history.floor && missed.revision < this.revision())
      throw watchExpired(from, this.#history.floor)
    const revision = this.revision()
    const initial =
      from === 'initial' || from === 'initial-with-bookmark'
        ? pageOf(this.#source(noUndo), { selection: options, after: undefined, limit: Infinity }).entries
        : []
    const events: SharedEvent[] = []
    if (from === 'initial-with-bookmark') events.push(new SharedEvent('BOOKMARK', revision, undefined, true))
    if (typeof from === 'number') {
      for (const change of [...missed.changes, ...this.#history.after(missed.revision)]) {
        const event = change.eventFor(options)
        if (event) events.push(event)
      }
    }
    const afterRevision = typeof from === 'number' ? Math.max(from, revision) : revision
    const watcher = new Watcher(this.#fanOut, sink, { selection: options, encoding, bookmarks, afterRevision })
    this.#fanOut.join(watcher, { initial, events })
    return watcher
  }

  close(): void {
    this.#follow.close()
    this.#fanOut.close()
  }

  #source(undo: ReadonlyMap<string, StoredObject | undefined>) {
    return { objects: this.#objects, indices: this.#indices, namespaced: this.#options.namespaced, undo }
  }

  #apply(change: Change): void {
    const key = change.key.slice(this.prefix.length)
    const previous = this.#objects.get(key)
    const noted = this.#changeOf(change, previous)
    const next = noted.deleted ? undefined : noted.object
    if (next) {
      this.#objects.set(key, next)
      this.#recent.add(next.document)
    } else this.#objects.delete(key)
    this.#indices.update(previous, next)
    this.#history.add(noted)
    this.#fanOut.add(noted)
  }

  #changeOf({ type, revision, entry }: Change, previous: StoredObject | undefined): ObjectChange {
    const deleted = type === 'delete'
    const object = objectOf(this.#options, this.#table, entry)
    // A deletion that brought no last state of its own tells the one before, at its own revision.
    return new ObjectChange(
      revision,
      deleted,
      deleted && entry.modRevision !== revision ? object.restamped(revision) : object,
      previous,
    )
  }

  /** A page at a revision that only the store remembers. */
  async #listOld({ after, limit = Infinity, ...selection }: CacheListOptions, revision: number): Promise<CacheList> {
    const { from, end } = scopeOf(selection, this.#options.namespaced)
    let position = this.prefix + (after !== undefined && after >= from ? keyAfter(after) : from)
    const entries: StoredObject[] = []
    for (;;) {
      const page = await this.#rangeAt(revision, position)
      for (const entry of page.entries) {
        const object = objectOf(this.#options, this.#table, entry)
        if (end !== undefined && object.key >= end) return { entries, revision, more: false, remaining: undefined }
        if (!matches(selection, object)) continue
        if (entries.length >= limit) return { entries, revision, more: true, remaining: undefined }
        entries.push(object)
      }
      if (!page.more) return { entries, revision, more: false, remaining: undefined }
      position = keyAfter(page.entries.at(-1)!.key)
      await this.#options.clock.yield()
    }
  }

  async #rangeAt(revision: number, from: string) {
    try {
      return await this.#store.range(this.prefix, { limit: loadMax, from, revision })
    } catch (error) {
      throw error instanceof CompactedError ? listExpired() : error
    }
  }

  /** What a watch missed before the cache's own history begins. */
  async #changesBefore(from: number): Promise<{ changes: ObjectChange[]; revision: number }> {
    try {
      const { changes, revision } = await this.#store.history(this.prefix, from)
      return {
        changes: changes.map((change) =>
          this.#changeOf(change, change.previous && objectOf(this.#options, this.#table, change.previous)),
        ),
        revision,
      }
    } catch (error) {
      throw error instanceof CompactedError ? watchExpired(from, error.compactedRevision) : error
    }
  }
}

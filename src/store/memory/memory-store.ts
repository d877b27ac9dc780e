import type { Deps } from '../../base/deps.ts'
import { OrderedMap, prefixEnd } from '../../base/ordered-map.ts'
import { StoreClosedError } from '../closed.ts'
import { holds } from '../expected.ts'
import { Listeners } from '../listeners.ts'
import { CompactedError, FutureRevisionError } from '../store.ts'
import type {
  Change,
  Entry,
  Expected,
  History,
  RangeOptions,
  RangeResult,
  Store,
  StoreWatch,
  ValueAt,
  WriteResult,
} from '../store.ts'

/** How long history is kept: as long as upstream's API server leaves it in etcd before compaction. */
const historyMs = 5 * 60_000
/** How many changes are kept at most, so that a test which writes much in no time does not fill the memory. */
const historyMax = 20_000

/** What the store in memory is opened with. */
export interface MemoryStoreOptions extends Deps {
  /** Changes kept at most. Default 20,000. */
  readonly historyMax?: number
}

/** Opens an empty store in memory: for the library and for tests. It keeps the very `Value` objects that it is given. */
export const openMemoryStore = (options: MemoryStoreOptions): Store => new MemoryStore(options)

class MemoryStore implements Store {
  readonly #options: MemoryStoreOptions
  readonly #entries = new OrderedMap<Entry>()
  readonly #listeners: Listeners
  /** Changes after the compacted revision, in order, with the time at which they were made. */
  #history: Change[] = []
  #times: number[] = []
  #revision = 1
  #compacted = 1
  #closed = false

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#listeners = new Listeners(options.log)
  }

  revision(): number {
    return this.#revision
  }

  compactedRevision(): number {
    return this.#compacted
  }

  async get(key: string, revision?: number): Promise<Entry | undefined> {
    this.#check(revision)
    if (revision === undefined || revision === this.#revision) return this.#entries.get(key)
    const next = this.#history.find((change) => change.revision > revision && change.key === key)
    return next ? next.previous : this.#entries.get(key)
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    this.#check(options.revision)
    const revision = options.revision ?? this.#revision
    const limit = options.limit ?? Infinity
    const source = revision === this.#revision ? this.#entries : this.#entriesAt(prefix, revision)
    const from = options.from !== undefined && options.from > prefix ? options.from : prefix
    const end = prefixEnd(prefix)
    const entries: Entry[] = []
    source.scan(from, end, (entry) => entries.length < limit && entries.push(entry) > 0)
    const count = source.count(from, end)
    return { entries, more: count > entries.length, count, revision }
  }

  async put(key: string, value: ValueAt, expected: Expected): Promise<WriteResult> {
    this.#check()
    const current = this.#entries.get(key)
    if (!holds(expected, current)) return { written: false, current }
    const revision = this.#revision + 1
    const made = value(revision)
    const entry: Entry = {
      key,
      value: made,
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
    }
    this.#revision = revision
    this.#entries.set(key, entry)
    this.#record({ type: 'put', key, revision, entry, ...(current && { previous: current }) })
    return { written: true, entry }
  }

  async delete(key: string, expected: Expected, last?: ValueAt): Promise<WriteResult> {
    this.#check()
    const current = this.#entries.get(key)
    if (!current || !holds(expected, current)) return { written: false, current }
    const revision = this.#revision + 1
    const entry: Entry = last ? { ...current, value: last(revision), modRevision: revision } : current
    this.#revision = revision
    this.#entries.delete(key)
    this.#record({ type: 'delete', key, revision, entry, previous: current })
    return { written: true, entry }
  }

  watch(prefix: string, afterRevision: number, listener: (changes: readonly Change[]) => void): StoreWatch {
    if (this.#closed) throw new StoreClosedError()
    if (afterRevision < this.#compacted) throw new CompactedError(this.#compacted)
    const past = this.#history.filter((change) => change.revision > afterRevision && change.key.startsWith(prefix))
    const watch = this.#listeners.add(prefix, Math.max(afterRevision, this.#revision), listener)
    if (past.length > 0) this.#listeners.tellOne(listener, past)
    return watch
  }

  async history(prefix: string, afterRevision: number): Promise<History> {
    this.#check()
    if (afterRevision < this.#compacted) throw new CompactedError(this.#compacted)
    const changes = this.#history.filter((change) => change.revision > afterRevision && change.key.startsWith(prefix))
    return { changes, revision: this.#revision }
  }

  async compact(revision: number): Promise<void> {
    if (revision < this.#compacted) throw new CompactedError(this.#compacted)
    this.#check(revision)
    const kept = this.#history.findIndex((change) => change.revision > revision)
    this.#forget(kept < 0 ? this.#history.length : kept, revision)
  }

  sizeBytes(): number {
    return 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
  }

  #check(revision?: number): void {
    if (this.#closed) throw new StoreClosedError()
    if (revision === undefined) return
    if (revision < this.#compacted) throw new CompactedError(this.#compacted)
    if (revision > this.#revision)
      throw new FutureRevisionError(`revision ${revision} does not exist yet; the newest is ${this.#revision}`)
  }

  #record(change: Change): void {
    const nowMs = this.#options.clock.now()
    this.#history.push(change)
    this.#times.push(nowMs)
    this.#trim(nowMs)
    this.#listeners.tell([change])
  }

  /** Forgets what is too old or too much. In steps, since cutting an array moves what is left of it. */
  #trim(nowMs: number): void {
    const countMax = this.#options.historyMax ?? historyMax
    const slack = Math.max(1, countMax >> 3)
    let drop = this.#history.length > countMax + slack ? this.#history.length - countMax : 0
    if (this.#times[Math.min(slack, this.#times.length) - 1]! < nowMs - historyMs) {
      while (drop < this.#times.length - 1 && this.#times[drop]! < nowMs - historyMs) drop++
    }
    if (drop > 0) this.#forget(drop, this.#history[drop - 1]!.revision)
  }

  #forget(count: number, compacted: number): void {
    this.#history.splice(0, count)
    this.#times.splice(0, count)
    this.#compacted = compacted
  }

  /** The entries under a prefix as they were: today's, with what was changed since put back. */
  #entriesAt(prefix: string, revision: number): OrderedMap<Entry> {
    const entries = new OrderedMap<Entry>()
    this.#entries.scan(prefix, prefixEnd(prefix), (entry, key) => entries.set(key, entry))
    for (let at = this.#history.length - 1; at >= 0; at--) {
      const { revision: changed, key, previous } = this.#history[at]!
      if (changed <= revision) break
      if (!key.startsWith(prefix)) continue
      if (previous) entries.set(key, previous)
      else entries.delete(key)
    }
    return entries
  }
}

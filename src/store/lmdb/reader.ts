import type { Change, Entry, RangeOptions, RangeResult } from '../store.ts'
import type { Database } from './database.ts'
import type { LogRecord } from './record.ts'
import type { Writer } from './writer.ts'

/** Of the past, told to a new watcher at a time. */
const changesMax = 500

/**
 * Reads at a revision. The database may be ahead (a commit that nobody may see yet) or behind (lazy writes), so what changed after the
 * revision is undone, and what is only in memory is laid over it.
 */
export class Reader {
  readonly #database: Database
  readonly #writer: Writer

  constructor(database: Database, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  get(key: string, revision: number): Entry | undefined {
    if (revision === this.#writer.revision && !this.#writer.inFlight) {
      const pending = this.#writer.newest.get(key)
      if (pending?.visible) return pending.head ? pending.change.entry : undefined
      const head = this.#database.head(key)
      return head && this.entryAt(head.modRevision)
    }
    const [entry] = this.range(key, revision, { limit: 1 }).entries
    return entry?.key === key ? entry : undefined
  }

  range(prefix: string, revision: number, { from, limit = Infinity }: RangeOptions): RangeResult {
    const start = from !== undefined && from > prefix ? from : prefix
    const special = this.#special(prefix, start, revision)
    let count = this.#database.countKeys(prefix, start)
    const extra: string[] = []
    for (const [key, entry] of special) {
      const stored = this.#database.head(key) !== undefined
      if (entry && !stored) extra.push(key)
      count += (entry ? 1 : 0) - (stored ? 1 : 0)
    }
    extra.sort().reverse()
    const entries: Entry[] = []
    const add = (entry: Entry | undefined) => {
      if (entry && entries.length < limit) entries.push(entry)
    }
    this.#database.scanKeys(prefix, start, (key, head) => {
      while (extra.length > 0 && extra.at(-1)! < key) add(special.get(extra.pop()!))
      if (entries.length >= limit) return false
      add(special.has(key) ? special.get(key) : this.entryAt(head.modRevision))
      return entries.length < limit
    })
    while (extra.length > 0) add(special.get(extra.pop()!))
    return { entries, more: count > entries.length, count, revision }
  }

  /** The changes under a prefix after one revision up to another, told in batches. */
  changes(
    prefix: string,
    { afterRevision, revision }: { afterRevision: number; revision: number },
    tell: (changes: readonly Change[]) => void,
  ): void {
    let batch: Change[] = []
    let seen = afterRevision
    const add = (change: Change) => {
      if (!change.key.startsWith(prefix)) return
      batch.push(change)
      if (batch.length < changesMax) return
      tell(batch)
      batch = []
    }
    this.#database.scanLog(afterRevision, (record) => {
      if (record.modRevision > revision) return false
      seen = record.modRevision
      add(this.#changeOf(record))
    })
    for (const { change } of this.#writer.lazies) if (change.revision > seen && change.revision <= revision) add(change)
    if (batch.length > 0) tell(batch)
  }

  /** The version that was written at a revision. */
  entryAt(revision: number): Entry | undefined {
    const lazy = this.#writer.lazies.find(({ change }) => change.revision === revision)
    if (lazy) return lazy.change.entry
    if (this.#database.suspended) return undefined
    const record = this.#database.record(revision)
    return record && entryOf(record)
  }

  /** The keys for which the database does not tell the state at a revision, with that state. */
  #special(prefix: string, from: string, revision: number): Map<string, Entry | undefined> {
    const special = new Map<string, Entry | undefined>()
    const concerns = (key: string) => key.startsWith(prefix) && key >= from
    if (revision < this.#writer.revision || this.#writer.inFlight) {
      // The first change after the revision knows what was there before it.
      this.#database.scanLog(revision, ({ key, previousRevision }) => {
        if (concerns(key) && !special.has(key))
          special.set(key, previousRevision > 0 ? this.entryAt(previousRevision) : undefined)
      })
    }
    const undone = new Set(special.keys())
    for (const { change, head } of this.#writer.lazies) {
      if (!concerns(change.key) || undone.has(change.key)) continue
      if (change.revision <= revision) special.set(change.key, head ? change.entry : undefined)
      else if (!special.has(change.key)) special.set(change.key, change.previous)
    }
    return special
  }

  #changeOf(record: LogRecord): Change {
    const { type, key, modRevision, previousRevision, value } = record
    const previous = () => (previousRevision > 0 ? this.entryAt(previousRevision) : undefined)
    const entry = type === 'delete' && !value ? previous()! : entryOf(record)
    return {
      type,
      key,
      revision: modRevision,
      entry,
      get previous() {
        return previous()
      },
    }
  }
}

const entryOf = ({ key, value, createRevision, modRevision, version }: LogRecord): Entry => ({
  key,
  value: { bytes: value! },
  createRevision,
  modRevision,
  version,
})

import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Deps } from '../../base/deps.ts'
import { StoreClosedError } from '../closed.ts'
import { holds } from '../expected.ts'
import { Listeners } from '../listeners.ts'
import { CompactedError, FutureRevisionError, StoreWriteError } from '../store.ts'
import type {
  Change,
  History as ChangeHistory,
  Entry,
  Expected,
  RangeOptions,
  RangeResult,
  Store,
  StoreWatch,
  Value,
  ValueAt,
  WriteOptions,
  WriteResult,
} from '../store.ts'
import { damaged } from './data-file.ts'
import { Database } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import { History } from './history.ts'
import { Reader } from './reader.ts'
import { type Head, encodeRecord, keyBytesMax } from './record.ts'
import { StoredChange } from './stored-change.ts'
import { type Write, Writer } from './writer.ts'

/** What the store on disk is opened with. */
export interface LmdbStoreOptions extends Deps {
  /** Made when it is not there. One process at a time. */
  readonly folder: string
}

/** A record is a header, a key and its value; lmdb itself takes 4 GiB. */
const recordBytesMax = 64 * 2 ** 20

/**
 * Opens the store in a folder, or makes an empty one. Throws `FolderInUseError`, `DamagedStoreError`, or `StoreWriteError` when the disk refuses.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const unlock = lock(options.folder)
  try {
    const path = join(options.folder, 'data.mdb')
    const database = await Database.open(path)
    try {
      return new LmdbStore(options, { database, path, unlock })
    } catch (error) {
      await database.close()
      throw damaged(path, error)
    }
  } catch (error) {
    unlock()
    throw error
  }
}

function lock(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return lockFolder(folder)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new StoreWriteError(`cannot use ${folder} as the store's folder: ${message}`, { cause: error })
  }
}

/** A watcher waits so long until it tries again to read a file that could not be opened. */
const reopenMs = 1000

class LmdbStore implements Store {
  readonly #options: LmdbStoreOptions
  readonly #database: Database
  readonly #path: string
  readonly #unlock: () => void
  readonly #history: History
  readonly #listeners: Listeners
  readonly #writer: Writer
  readonly #reader: Reader
  #closing: Promise<void> | undefined

  constructor(
    options: LmdbStoreOptions,
    { database, path, unlock }: { database: Database; path: string; unlock: () => void },
  ) {
    this.#options = options
    this.#database = database
    this.#path = path
    this.#unlock = unlock
    this.#listeners = new Listeners(options.log)
    const last = database.last()
    this.#history = new History(last?.compacted ?? 1)
    const nowMs = options.clock.now()
    if (last) {
      database.scanLog(last.compacted - 1, ({ type, modRevision, previousRevision, value }) =>
        this.#history.add(modRevision, previousRevision, type === 'delete', { bytes: value?.byteLength ?? 0, nowMs }),
      )
    }
    // After a crash, revisions that lazy writes may have used are not given out again.
    const revision = Math.max(1, last?.modRevision ?? 1, last?.reserved ?? 1)
    this.#writer = new Writer(options, {
      database,
      history: this.#history,
      listeners: this.#listeners,
      revision,
      reserved: revision,
    })
    this.#reader = new Reader(database, this.#writer)
    database.unmap()
  }

  revision(): number {
    return this.#writer.revision
  }

  compactedRevision(): number {
    return this.#history.compacted
  }

  async get(key: string, revision?: number): Promise<Entry | undefined> {
    await this.#ready(revision)
    return this.#reader.get(key, revision ?? this.#writer.revision)
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    await this.#ready(options.revision)
    const result = this.#reader.range(prefix, options.revision ?? this.#writer.revision, options)
    if (!this.#writer.inFlight) this.#database.unmap()
    return result
  }

  async put(key: string, value: ValueAt, expected: Expected, options: WriteOptions = {}): Promise<WriteResult> {
    if (this.#notReady) await this.#ready()
    checkKey(key)
    const pending = this.#writer.newest.get(key)
    const current = pending ? (pending.head ?? undefined) : this.#database.head(key)
    if (!holds(expected, current)) return this.#lost(key, pending)
    const revision = this.#writer.nextRevision
    const made = value(revision)
    const head: Head = {
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
    }
    const entry: Entry = { key, value: made, ...head }
    const change = new StoredChange('put', entry, revision, this.#previous(pending, current))
    return this.#submit(change, {
      head,
      previousRevision: current?.modRevision ?? 0,
      value: made,
      lazyMs: options.lazyMs,
    })
  }

  async delete(key: string, expected: Expected, last?: ValueAt): Promise<WriteResult> {
    if (this.#notReady) await this.#ready()
    const pending = this.#writer.newest.get(key)
    const current = pending ? (pending.head ?? undefined) : this.#database.head(key)
    if (!current || !holds(expected, current)) return this.#lost(key, pending)
    const revision = this.#writer.nextRevision
    const previous = this.#previous(pending, current)
    const entry: Entry = last ? { key, value: last(revision), ...current, modRevision: revision } : previous()!
    const change = new StoredChange('delete', entry, revision, previous)
    return this.#submit(change, {
      head: null,
      previousRevision: current.modRevision,
      value: last && entry.value,
      version: current,
    })
  }

  watch(prefix: string, afterRevision: number, listener: (changes: readonly Change[]) => void): StoreWatch {
    if (this.#closing) throw new StoreClosedError()
    if (afterRevision < this.#history.compacted) throw new CompactedError(this.#history.compacted)
    let watch: StoreWatch | undefined
    let closed = false
    const begin = () => {
      if (closed || this.#closing) return
      const { revision } = this.#writer
      watch = this.#listeners.add(prefix, Math.max(afterRevision, revision), listener)
      if (afterRevision < revision)
        this.#reader.changes(prefix, { afterRevision, revision }, (changes) =>
          this.#listeners.tellOne(listener, changes),
        )
    }
    if (this.#database.suspended) void this.#whenOpen().then(begin)
    else begin()
    return {
      close() {
        closed = true
        watch?.close()
      },
    }
  }

  /** Resolves when the file can be read again, however long that takes. */
  async #whenOpen(): Promise<void> {
    while (this.#database.suspended && !this.#closing) {
      try {
        await this.#database.suspended
      } catch {
        await this.#options.clock.sleep(reopenMs)
      }
    }
  }

  async history(prefix: string, afterRevision: number): Promise<ChangeHistory> {
    await this.#ready()
    if (afterRevision < this.#history.compacted) throw new CompactedError(this.#history.compacted)
    const { revision } = this.#writer
    const changes: Change[] = []
    this.#reader.changes(prefix, { afterRevision, revision }, (batch) => changes.push(...batch))
    return { changes, revision }
  }

  async compact(revision: number): Promise<void> {
    await this.#ready(revision)
    this.#history.compact(revision)
    while (this.#history.compacted < revision) await this.#writer.flush()
  }

  sizeBytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#listeners.clear()
    try {
      await this.#writer.close()
    } finally {
      await this.#database.close().finally(this.#unlock)
    }
  }

  get #notReady(): boolean {
    return this.#closing !== undefined || this.#database.suspended !== undefined
  }

  async #ready(revision?: number): Promise<void> {
    if (this.#closing) throw new StoreClosedError()
    while (this.#database.suspended) await this.#database.suspended
    if (this.#closing) throw new StoreClosedError()
    if (revision === undefined) return
    if (revision < this.#history.compacted) throw new CompactedError(this.#history.compacted)
    if (revision > this.#writer.revision)
      throw new FutureRevisionError(`revision ${revision} does not exist yet; the newest is ${this.#writer.revision}`)
  }

  /** The answer to a write whose condition does not hold: when what it lost against is durable. */
  async #lost(key: string, pending: Write | undefined): Promise<WriteResult> {
    if (pending && !pending.visible) await pending.result
    if (pending) return { written: false, current: pending.head ? pending.change.entry : undefined }
    return { written: false, current: this.#reader.get(key, this.#writer.revision) }
  }

  /** The version before a write: read only if somebody asks, since most watchers know it. */
  #previous(pending: Write | undefined, current: Head | undefined): () => Entry | undefined {
    if (!current) return () => undefined
    if (pending) return () => pending.change.entry
    return () => this.#reader.entryAt(current.modRevision)
  }

  #submit(
    change: StoredChange,
    what: {
      head: Head | null
      previousRevision: number
      value: Value | undefined
      version?: Head
      lazyMs?: number | undefined
    },
  ): Promise<WriteResult> {
    const { head, previousRevision, value } = what
    const { promise, resolve, reject } = Promise.withResolvers<WriteResult>()
    const { createRevision, version } = head ?? what.version!
    const record = encodeRecord(
      {
        type: change.type,
        key: change.key,
        createRevision,
        modRevision: change.revision,
        version,
        previousRevision,
        reserved: 0,
        compacted: 0,
      },
      value,
    )
    if (record.byteLength > recordBytesMax)
      throw new StoreWriteError(`the value of ${change.key} is too large: ${record.byteLength} bytes`)
    this.#writer.submit(
      { change, record, head, obsolete: previousRevision, result: promise, resolve, reject, visible: false },
      what.lazyMs,
    )
    return promise
  }
}

function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key)
  if (bytes === 0 || bytes > keyBytesMax) throw new StoreWriteError(`a key has 1 to ${keyBytesMax} bytes, not ${bytes}`)
}

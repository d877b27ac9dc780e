import type { Deps } from '../../base/deps.ts'
import type { Listeners } from '../listeners.ts'
import type { Change, WriteResult } from '../store.ts'
import { StoreWriteError } from '../store.ts'
import type { Batch, Database } from './database.ts'
import type { CompactionStep, History } from './history.ts'
import { type Head, encodeRecord, writeMarks } from './record.ts'

/** Of one commit: more wait for the next one, so that nobody waits for a huge one. */
const commitWritesMax = 4000
const commitBytesMax = 32 * 2 ** 20
/** Changes that a commit compacts, at least. */
const compactionStep = 250
/** Revisions set aside for lazy writes at a time. */
const reserveStep = 4096
/** Lazy writes held in memory. */
const lazyBytesMax = 2 ** 20
/** When the disk refused lazy writes, they are tried again after this long. */
const lazyRetryMs = 10_000

/** A write that has its revision and is on its way to the disk. */
export interface Write {
  readonly change: Change
  readonly record: Buffer
  /** What the key's head becomes; null: a deletion. */
  readonly head: Head | null
  /** The revision of the version that it replaces, or 0. */
  readonly obsolete: number
  readonly result: Promise<WriteResult>
  readonly resolve: (result: WriteResult) => void
  readonly reject: (error: Error) => void
  /** Readers and watchers have it. True before it is durable only for lazy writes. */
  visible: boolean
}

/**
 * Group commit: writes queue up while one commit is on its way and share the next one. Order of revisions is order of arrival, and all that is here keeps
 * it:
 *
 *     durable … | lazies (visible, not durable) | inFlight (being committed) | waiting
 *
 * Lazy writes begin every commit's batch; a lazy write joins `lazies` only while nothing is in flight or waiting.
 */
export class Writer {
  readonly #deps: Deps
  readonly #database: Database
  readonly #history: History
  readonly #listeners: Listeners
  #waiting: Write[] = []
  #lazies: Write[] = []
  #lazyBytes = 0
  #cancelFlush: (() => void) | undefined
  #flushAtMs = Infinity
  /** The next commit is made even if nothing waits. */
  #forced = false
  #committing: Promise<boolean> | undefined
  #lazyUsed = false
  #reserved: number
  #assigned: number
  /** The newest revision that readers see. */
  revision: number
  /** A commit is on its way: the database may hold revisions that nobody may see yet. */
  inFlight = false
  /** The newest write of each key that is not durable yet. */
  readonly newest = new Map<string, Write>()

  constructor(
    deps: Deps,
    parts: { database: Database; history: History; listeners: Listeners; revision: number; reserved: number },
  ) {
    this.#deps = deps
    this.#database = parts.database
    this.#history = parts.history
    this.#listeners = parts.listeners
    this.revision = parts.revision
    this.#assigned = parts.revision
    this.#reserved = parts.reserved
  }

  /** The revision that the next write gets. */
  get nextRevision(): number {
    return this.#assigned + 1
  }

  /** Acknowledged writes that are not on the disk, in order. */
  get lazies(): readonly Write[] {
    return this.#lazies
  }

  /** Takes a write, whose revision is `nextRevision`. */
  submit(write: Write, lazyMs: number | undefined): void {
    const { revision, key } = write.change
    this.#assigned = revision
    this.newest.set(key, write)
    if (lazyMs !== undefined) this.#lazyUsed = true
    if (
      lazyMs !== undefined &&
      this.#waiting.length === 0 &&
      !this.inFlight &&
      revision <= this.#reserved &&
      this.#lazyBytes < lazyBytesMax
    ) {
      this.#lazies.push(write)
      this.#lazyBytes += write.record.byteLength
      this.#flushIn(lazyMs)
      this.#show([write])
      return
    }
    this.#waiting.push(write)
    this.#commitSoon()
  }

  /** Makes a commit, also of nothing: lazy writes, compaction and marks reach the disk. Rejects when the disk refuses. */
  async flush(): Promise<void> {
    this.#forced = true
    this.#commitSoon()
    if (!(await this.#committing)) throw new StoreWriteError('the disk refused the last writes')
  }

  /** Everything durable, and nothing set aside. */
  async close(): Promise<void> {
    this.#cancelFlush?.()
    await this.#committing
    this.#lazyUsed = false
    if (this.#lazies.length > 0 || this.#reserved > this.revision) await this.flush()
    this.#cancelFlush?.()
  }

  #flushIn(ms: number): void {
    const atMs = this.#deps.clock.now() + ms
    if (atMs >= this.#flushAtMs) return
    this.#cancelFlush?.()
    this.#flushAtMs = atMs
    this.#cancelFlush = this.#deps.clock.after(ms, () => {
      this.#flushAtMs = Infinity
      this.#forced = true
      this.#commitSoon()
    })
  }

  #commitSoon(): void {
    this.#committing ??= this.#commitAll()
  }

  /** Commits until nothing waits. False when the disk refused. */
  async #commitAll(): Promise<boolean> {
    // All writes of this turn of the event loop share the first commit.
    await this.#deps.clock.yield()
    let good = true
    while (good && (this.#waiting.length > 0 || this.#forced)) good = await this.#commitOnce()
    this.#committing = undefined
    return good
  }

  async #commitOnce(): Promise<boolean> {
    let writes: Write[] = []
    this.inFlight = true
    try {
      await this.#database.suspended
      writes = this.#take()
      const newest = writes.at(-1)?.change.revision ?? this.#database.last()?.modRevision ?? 0
      const step = this.#history.plan(Math.max(compactionStep, 2 * writes.length), newest)
      const reserved = Math.max(newest, this.revision) + (this.#lazyUsed ? reserveStep : 0)
      const batch = this.#batch(writes, step, reserved)
      if (batch) await this.#database.commit(batch)
      this.inFlight = false
      this.#forced = false
      this.#reserved = reserved
      this.#landed(writes, step)
      this.#database.unmap()
      return true
    } catch (error) {
      this.inFlight = false
      this.#fail(writes, error)
      return false
    }
  }

  /** What the next commit takes: all lazy writes, and of the others what fits. */
  #take(): Write[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && count < commitWritesMax && bytes < commitBytesMax)
      bytes += this.#waiting[count++]!.record.byteLength
    return [...this.#lazies, ...this.#waiting.splice(0, count)]
  }

  #batch(writes: readonly Write[], step: CompactionStep, reserved: number): Batch | undefined {
    const marks = { reserved, compacted: step.compacted }
    const records = writes.map(({ change, record }) => ({ revision: change.revision, bytes: record }))
    if (records.length === 0) {
      // Nothing was written: the newest record takes the marks.
      const last = this.#database.last()
      if (!last) return undefined
      records.push({ revision: last.modRevision, bytes: encodeRecord(last, last.value && { bytes: last.value }) })
    }
    writeMarks(records.at(-1)!.bytes, marks)
    return { records, heads: new Map(writes.map(({ change, head }) => [change.key, head])), obsolete: step.obsolete }
  }

  #landed(writes: readonly Write[], step: CompactionStep): void {
    this.#history.apply(step)
    const nowMs = this.#deps.clock.now()
    for (const write of writes) {
      const { change, record, obsolete } = write
      this.#history.add(change.revision, obsolete, change.type === 'delete', { bytes: record.byteLength, nowMs })
      if (this.newest.get(change.key) === write) this.newest.delete(change.key)
    }
    if (this.#lazies.length > 0) {
      this.#lazies = []
      this.#lazyBytes = 0
      this.#cancelFlush?.()
      this.#flushAtMs = Infinity
    }
    this.#show(writes.filter(({ visible }) => !visible))
  }

  #show(writes: readonly Write[]): void {
    const last = writes.at(-1)
    if (!last) return
    this.revision = last.change.revision
    for (const write of writes) write.visible = true
    this.#listeners.tell(writes.map(({ change }) => change))
    for (const { resolve, change } of writes) resolve({ written: true, entry: change.entry })
  }

  /** The disk refused. Revisions that waited go back: what came after the refused writes was compared with them. Lazy writes stay, acknowledged as they are. */
  #fail(writes: readonly Write[], error: unknown): void {
    const failed = [...writes.filter(({ visible }) => !visible), ...this.#waiting]
    this.#waiting = []
    this.#assigned = this.revision
    this.newest.clear()
    for (const write of this.#lazies) this.newest.set(write.change.key, write)
    if (this.#lazies.length > 0) this.#flushIn(lazyRetryMs)
    this.#forced = false
    this.#deps.log.error({ err: error, writes: failed.length }, 'the store could not write to its disk')
    const refused = error instanceof Error ? error : new StoreWriteError(String(error))
    for (const { reject } of failed) reject(refused)
  }
}

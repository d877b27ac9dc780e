import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { StoreWriteError } from '../store.ts'
import { DamagedStoreError, checkDataFile, damaged } from './data-file.ts'
import {
  type Head,
  type LogRecord,
  decodeHead,
  decodeRecord,
  decodeRevision,
  encodeHead,
  encodeRevision,
} from './record.ts'

type Lmdb = typeof import('lmdb')

/** How much address space lmdb may map; not memory, and not the file's size. */
const mapBytes = 256 * 2 ** 30
/**
 * When so much of the file may have been mapped, it is unmapped: pages that were read once would otherwise count as the process' memory for ever, and
 * reading one maps its neighbours too. Doing so costs two milliseconds.
 */
const mappedBytesMax = 24 * 2 ** 20
const pageBytes = 4096
/** In one generation; some hundred bytes each. */
const headsMax = 2048
/** With less than this free, a write that failed is taken to have failed for want of space. */
const freeBytesMin = 2 ** 20

/** What is what in the one lmdb database: one tree makes smaller commits than two. */
const tagLog = 1
const tagKey = 2
const formatKey = Buffer.from([3])
const format = Buffer.from('kubernode store 1')

/** What one commit changes. */
export interface Batch {
  readonly records: readonly { readonly revision: number; readonly bytes: Buffer }[]
  /** New heads by key; null: the key is gone. */
  readonly heads: ReadonlyMap<string, Head | null>
  /** Revisions whose records are no longer needed. */
  readonly obsolete: readonly number[]
}

/** The data file: typed reads, atomic durable commits. Nothing here knows of waiting writes. */
export class Database {
  readonly #lmdb: Lmdb
  readonly #path: string
  /** Heads of the keys that were written last, since most are written again soon: two generations, of which the older one goes when the younger one is full. */
  #heads = new Map<string, Head>()
  #olderHeads = new Map<string, Head>()
  #env: RootDatabase<Buffer, Buffer>
  #mappedBytes = 0
  #isOpen = true
  #reopening: Promise<void> | undefined

  private constructor(lmdb: Lmdb, path: string, env: RootDatabase<Buffer, Buffer>) {
    this.#lmdb = lmdb
    this.#path = path
    this.#env = env
  }

  /** Opens the file, or makes it. Throws `DamagedStoreError`, or `StoreWriteError` when the disk refuses. */
  static async open(path: string): Promise<Database> {
    checkDataFile(path)
    const lmdb = await import('lmdb')
    const env = openEnv(lmdb, path)
    try {
      const database = new Database(lmdb, path, env)
      if (!hasFormat(env, path)) await database.#written(env.put(formatKey, format))
      return database
    } catch (error) {
      await env.close()
      throw error instanceof StoreWriteError ? error : damaged(path, error)
    }
  }

  /** Set while the file is unmapped and mapped again, a few microtasks long. Nothing may be read meanwhile. When that fails it rejects, and whoever asks next tries again. */
  get suspended(): Promise<void> | undefined {
    return this.#isOpen ? undefined : (this.#reopening ?? this.#reopen())
  }

  head(key: string): Head | undefined {
    const known = this.#heads.get(key) ?? this.#olderHeads.get(key)
    if (known) return known
    const found = this.#env.get(keyOf(tagKey, Buffer.from(key)))
    return found && decodeHead(found)
  }

  record(revision: number): LogRecord | undefined {
    const found = this.#env.get(logKey(revision))
    if (!found) return undefined
    this.#mappedBytes += found.byteLength
    return decodeRecord(revision, found)
  }

  /** The newest record. */
  last(): LogRecord | undefined {
    for (const { key, value } of this.#env.getRange({
      start: keyOf(tagKey, empty),
      end: logKey(0),
      reverse: true,
      exclusiveStart: true,
      limit: 1,
    })) {
      return decodeRecord(decodeRevision(key.subarray(1)), value)
    }
    return undefined
  }

  /** Visits records after a revision, in order, until `visit` returns false. */
  scanLog(afterRevision: number, visit: (record: LogRecord) => boolean | void): void {
    for (const { key, value } of this.#env.getRange({ start: logKey(afterRevision + 1), end: keyOf(tagKey, empty) })) {
      this.#mappedBytes += value.byteLength
      if (visit(decodeRecord(decodeRevision(key.subarray(1)), value)) === false) return
    }
  }

  /** Visits keys that start with `prefix`, from the key `from` on, until `visit` returns false. */
  scanKeys(prefix: string, from: string, visit: (key: string, head: Head) => boolean | void): void {
    const bounds = { start: keyOf(tagKey, Buffer.from(from)), end: keyEnd(prefix) }
    for (const { key, value } of this.#env.getRange(bounds)) {
      if (visit(key.toString('utf8', 1), decodeHead(value)) === false) return
    }
  }

  countKeys(prefix: string, from: string): number {
    return this.#env.getKeysCount({ start: keyOf(tagKey, Buffer.from(from)), end: keyEnd(prefix) })
  }

  /** Makes the batch durable, as a whole or, with a `StoreWriteError`, not at all. One at a time. */
  async commit({ records, heads, obsolete }: Batch): Promise<void> {
    const env = this.#env
    // The batch's own promise tells of a failure; those of its operations, mostly one and the same, must not stay unhandled.
    let told: Promise<boolean> | undefined
    const quiet = (operation: Promise<boolean>) => {
      if (operation !== told) operation.catch(() => {})
      told = operation
    }
    await this.#written(
      env.batch(() => {
        for (const revision of obsolete) quiet(env.remove(logKey(revision)))
        for (const { revision, bytes } of records) quiet(env.put(logKey(revision), bytes))
        for (const [key, head] of heads) {
          if (head) quiet(env.put(keyOf(tagKey, Buffer.from(key)), encodeHead(head)))
          else quiet(env.remove(keyOf(tagKey, Buffer.from(key))))
        }
      }),
    )
    this.#remember(heads)
    env.resetReadTxn()
    this.#mappedBytes += 2 * pageBytes * records.length
  }

  /** Gives mapped memory back when there is much. Only while no commit runs. */
  unmap(): void {
    if (this.#mappedBytes < mappedBytesMax || !this.#isOpen) return
    this.#mappedBytes = 0
    this.#isOpen = false
    void this.#reopen(this.#env.close())
  }

  async close(): Promise<void> {
    await this.#reopening?.catch(() => {})
    if (this.#isOpen) await this.#env.close()
    this.#isOpen = false
  }

  #reopen(closed: Promise<void> = Promise.resolve()): Promise<void> {
    const reopening = closed
      .then(() => {
        // A new file in its place would be an empty store.
        if (!existsSync(this.#path)) throw new StoreWriteError(`${this.#path} is gone`)
        this.#env = openEnv(this.#lmdb, this.#path)
        this.#isOpen = true
      })
      .finally(() => (this.#reopening = undefined))
    // Whoever waits for it sees the failure.
    reopening.catch(() => {})
    return (this.#reopening = reopening)
  }

  #remember(heads: Batch['heads']): void {
    for (const [key, head] of heads) {
      this.#olderHeads.delete(key)
      if (head) this.#heads.set(key, head)
      else this.#heads.delete(key)
    }
    if (this.#heads.size < headsMax) return
    this.#olderHeads = this.#heads
    this.#heads = new Map()
  }

  async #written(commit: Promise<boolean>): Promise<void> {
    try {
      await commit
    } catch (error) {
      throw new StoreWriteError(`cannot write to ${this.#path}: ${await this.#reasonOf(error)}`, { cause: error })
    }
  }

  /** What the disk said. lmdb gives it as a promise beside the error, which must not stay unhandled, and calls a full disk an input/output error. */
  async #reasonOf(error: unknown): Promise<string> {
    const { commitError, message } = error as { commitError?: Promise<never>; message?: string }
    let reason = message ?? String(error)
    try {
      await commitError
    } catch (cause) {
      reason = cause instanceof Error ? cause.message : String(cause)
    }
    const { bavail, bsize } = await statfs(dirname(this.#path))
    return bavail * bsize < freeBytesMin ? 'the disk is full; free some space' : reason
  }
}

const empty = Buffer.alloc(0)

function openEnv(lmdb: Lmdb, path: string): RootDatabase<Buffer, Buffer> {
  try {
    // Without event turn batching, since it makes promises of its own whose rejection nobody could handle; a batch is one transaction either way.
    return lmdb.open<Buffer, Buffer>({
      path,
      mapSize: mapBytes,
      maxDbs: 1,
      overlappingSync: false,
      eventTurnBatching: false,
      encoding: 'binary',
      keyEncoding: 'binary',
    })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    if (/INVALID|VERSION_MISMATCH|CORRUPTED|not an LMDB/i.test(text)) throw damaged(path, error)
    throw new StoreWriteError(`cannot open ${path}: ${text}`, { cause: error })
  }
}

/** Whether the file is a store of this version; false: it is new. */
function hasFormat(env: RootDatabase<Buffer, Buffer>, path: string): boolean {
  const found = env.get(formatKey)
  if (found && !found.equals(format))
    throw new DamagedStoreError(
      `${path} was written by another version (${found.toString()}); this one reads "${format.toString()}"`,
    )
  if (!found && [...env.getKeys({ start: Buffer.from([0]), limit: 1 })].length > 0)
    throw new DamagedStoreError(`${path} is an lmdb file of another program`)
  return found !== undefined
}

function keyOf(tag: number, rest: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(rest.byteLength + 1)
  out[0] = tag
  out.set(rest, 1)
  return out
}

const logKey = (revision: number) => keyOf(tagLog, encodeRevision(revision))

/** The first database key after all keys that start with `prefix`. */
function keyEnd(prefix: string): Buffer {
  const bytes = keyOf(tagKey, Buffer.from(prefix))
  let length = bytes.byteLength
  while (bytes[length - 1] === 0xff) length--
  bytes[length - 1]!++
  return bytes.subarray(0, length)
}

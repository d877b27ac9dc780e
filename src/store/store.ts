/**
 * What the API server needs of a key-value store: one revision counter, compare-and-put, history, ordered watches. The semantics are etcd's
 * (https://etcd.io/docs/v3.6/learning/data_model/), so that etcd itself can be one of the implementations.
 *
 * Edges: a write is acknowledged only when it is durable. Concurrent writes may share one commit. Writes that conflict are answered after the
 * write that they lost against is durable, so that a reader who retries sees it. After `close` every call rejects.
 */
export interface Store {
  /** The revision of the newest durable write. An empty store is at revision 1, as etcd's is. */
  revision(): number
  /** The oldest revision that can still be read or watched from. */
  compactedRevision(): number
  /** One entry, as it is now or was at `revision`. Rejects with `CompactedError` or `FutureRevisionError`. */
  get(key: string, revision?: number): Promise<Entry | undefined>
  /** Entries whose keys start with `prefix`, in key order. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>
  /** Writes one key when `expected` holds. */
  put(key: string, value: ValueAt, expected: Expected, options?: WriteOptions): Promise<WriteResult>
  /** Removes one key when `expected` holds. `value`, when given, is what watchers see as the key's last state (revision included). */
  delete(key: string, expected: Expected, last?: ValueAt): Promise<WriteResult>
  /**
   * Calls `listener` with every change under `prefix` after `afterRevision`, in revision order, each batch holding all changes of one commit that match.
   * Called synchronously after the commit is durable and before the write's promise resolves. Throws `CompactedError` when that history is gone.
   */
  watch(prefix: string, afterRevision: number, listener: (changes: readonly Change[]) => void): StoreWatch
  /** Every change under `prefix` after a revision, up to now. Rejects with `CompactedError` when some of that is gone. */
  history(prefix: string, afterRevision: number): Promise<History>
  /** Forgets history up to and including `revision`; current entries stay. */
  compact(revision: number): Promise<void>
  /** Bytes on disk, or 0. */
  sizeBytes(): number
  close(): Promise<void>
}

/** A value: at least its bytes. A store in memory keeps the very object it was given, so that reading it again needs no parsing. */
export interface Value {
  readonly bytes: Uint8Array
  /**
   * Memory that ends with the bytes and begins with room for so many others, which whoever asks may fill: a store that writes a head before each value then copies
   * nothing. `bytes` may share it from then on.
   */
  bytesAfter?(roomBytes: number): Buffer
}

/** Makes the value for the revision under which it will be stored (objects carry it as their resource version). Called once, synchronously. */
export type ValueAt = (revision: number) => Value

/** What must hold for a write: the key is absent, is at this mod revision, or anything. */
export type Expected = 'absent' | 'any' | number

/** How a write is made. */
export interface WriteOptions {
  /**
   * The write may reach the disk up to this much later than it is acknowledged. For lease renewals, whose loss in a crash is harmless and which would
   * otherwise be most of what an idle cluster writes.
   */
  readonly lazyMs?: number
}

/** A key as it is at one revision. */
export interface Entry {
  readonly key: string
  readonly value: Value
  readonly createRevision: number
  readonly modRevision: number
  /** How often the key was written since it was created, from 1. */
  readonly version: number
}

/** What part of a range is read, and when. */
export interface RangeOptions {
  /** At most so many entries; `more` tells whether there were others. */
  readonly limit?: number
  /** Start at this key instead of at the prefix. */
  readonly from?: string
  readonly revision?: number
}

/** What was read. */
export interface RangeResult {
  readonly entries: readonly Entry[]
  readonly more: boolean
  /** All keys under the prefix from `from` on, whatever the limit. */
  readonly count: number
  /** The revision that was read. */
  readonly revision: number
}

/** A write that was made, or what stood in its way. */
export type WriteResult =
  | { readonly written: true; readonly entry: Entry }
  | { readonly written: false; readonly current: Entry | undefined }

/** One write as watchers see it. */
export interface Change {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly revision: number
  /** The new entry of a put; of a delete the last value as `delete` was given it, else the previous entry's. */
  readonly entry: Entry
  /** What was there before; absent on a creation, or when a watch reads it from compacted history. */
  readonly previous?: Entry
}

/** Changes, and the revision up to which they are all. */
export interface History {
  readonly changes: readonly Change[]
  readonly revision: number
}

/** A running watch. */
export interface StoreWatch {
  close(): void
}

/** The asked revision has been compacted. */
export class CompactedError extends Error {
  override name = 'CompactedError'
  readonly compactedRevision: number
  constructor(compactedRevision: number) {
    super(`the revision has been compacted; the oldest that can be read is ${compactedRevision}`)
    this.compactedRevision = compactedRevision
  }
}

/** The asked revision does not exist yet. */
export class FutureRevisionError extends Error {
  override name = 'FutureRevisionError'
}

/** The disk refused a write (full, read-only, broken). Nothing of the write is there. */
export class StoreWriteError extends Error {
  override name = 'StoreWriteError'
}

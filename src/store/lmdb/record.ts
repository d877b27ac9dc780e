// What lmdb holds, in two parts of one tree:
//
// - keys: a key of the store -> where its newest version is (`Head`). Only keys that exist.
// - log: a revision -> what was written at it: a header, the key, the value (`LogRecord`). History and current values at once: compaction removes
//   records whose key has a newer one, and deletions.
//
// The newest record of the log also carries what must survive for the store as a whole (`reserved`, `compacted`), so that no commit needs a page of
// its own for that.

import type { Value } from '../store.ts'

/** Where a key's newest version is. */
export interface Head {
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
}

/** One version of a key, or its deletion. */
export interface LogRecord extends Head {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** Where the key's version before this one is; 0 when it did not exist. Compaction may have removed it. */
  readonly previousRevision: number
  /** Revisions up to this one may have been handed out by lazy writes that never reached the disk: after a crash, counting goes on after them. */
  readonly reserved: number
  /** History up to this revision is gone. */
  readonly compacted: number
  /** Absent from deletions whose last state is the version before. */
  readonly value: Uint8Array | undefined
}

const headBytes = 16
const headerBytes = 32
const typePut = 1
const typeDelete = 2
/** A deletion that brought its own last state. */
const typeDeleteWithValue = 3

/** Of the keys in both databases; lmdb takes 1,978 bytes. */
export const keyBytesMax = 1900

/** A head as bytes. */
export function encodeHead(head: Head): Buffer {
  const out = Buffer.allocUnsafe(headBytes)
  out.writeUIntBE(head.createRevision, 0, 6)
  out.writeUIntBE(head.modRevision, 6, 6)
  out.writeUInt32BE(head.version, 12)
  return out
}

/** Reads a head. */
export const decodeHead = (bytes: Buffer): Head => ({
  createRevision: bytes.readUIntBE(0, 6),
  modRevision: bytes.readUIntBE(6, 6),
  version: bytes.readUInt32BE(12),
})

/** The key of a revision in the log: big endian, so that the log is in order. */
export function encodeRevision(revision: number): Buffer {
  const out = Buffer.allocUnsafe(6)
  out.writeUIntBE(revision, 0, 6)
  return out
}

/** The revision of a key of the log. */
export const decodeRevision = (bytes: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(0, 6)

/** A record as bytes. */
export function encodeRecord(record: Omit<LogRecord, 'value'>, value: Value | undefined): Buffer {
  const keyLength = Buffer.byteLength(record.key)
  const out = withRoom(headerBytes + keyLength, value)
  out.writeUInt8(record.type === 'put' ? typePut : value ? typeDeleteWithValue : typeDelete, 0)
  out.writeUInt8(0, 1)
  out.writeUInt16BE(keyLength, 2)
  out.writeUInt32BE(record.version, 4)
  out.writeUIntBE(record.createRevision, 8, 6)
  out.writeUIntBE(record.previousRevision, 14, 6)
  writeMarks(out, record)
  out.write(record.key, headerBytes)
  return out
}

function withRoom(roomBytes: number, value: Value | undefined): Buffer {
  if (value?.bytesAfter) return value.bytesAfter(roomBytes)
  const bytes = value?.bytes
  const out = Buffer.allocUnsafeSlow(roomBytes + (bytes?.byteLength ?? 0))
  if (bytes) out.set(bytes, roomBytes)
  return out
}

/** Writes the store-wide part of a record: it is known only when the record's commit begins. */
export function writeMarks(record: Buffer, marks: Pick<LogRecord, 'reserved' | 'compacted'>): void {
  record.writeUIntBE(marks.reserved, 20, 6)
  record.writeUIntBE(marks.compacted, 26, 6)
}

/** Reads a record of the log. The value shares the memory of `bytes`. */
export function decodeRecord(revision: number, bytes: Buffer): LogRecord {
  const type = bytes.readUInt8(0)
  const valueAt = headerBytes + bytes.readUInt16BE(2)
  return {
    type: type === typePut ? 'put' : 'delete',
    key: bytes.toString('utf8', headerBytes, valueAt),
    version: bytes.readUInt32BE(4),
    createRevision: bytes.readUIntBE(8, 6),
    modRevision: revision,
    previousRevision: bytes.readUIntBE(14, 6),
    reserved: bytes.readUIntBE(20, 6),
    compacted: bytes.readUIntBE(26, 6),
    value: type === typeDelete ? undefined : bytes.subarray(valueAt),
  }
}

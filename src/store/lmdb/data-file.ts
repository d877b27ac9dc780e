import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreWriteError } from '../store.ts'

/** The folder holds something that is no store, or one that is damaged. */
export class DamagedStoreError extends Error {
  override name = 'DamagedStoreError'
}

/** The error of a file of which lmdb, or what is in it, says that it is not whole. */
export function damaged(path: string, cause: unknown): DamagedStoreError {
  if (cause instanceof DamagedStoreError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new DamagedStoreError(`${path} is damaged: ${why}; ${wayOut}`, { cause })
}

const wayOut = 'restore a backup, or move the file away to start empty'
const lmdbMagic = 0xbeefc0de
/** Where in each of the two first pages lmdb keeps its description: after the page header. */
const metaAt = 24
/** A file may end before its last page when lmdb used pages at the end and freed them in one commit; it is a few then. */
const missingPagesMax = 16

/**
 * Looks at the data file before lmdb maps it, since lmdb trusts it: a file that was cut off ends the process at the first read behind its end. A file
 * that does not exist, or is empty, is a new store.
 */
export function checkDataFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if (!existsSync(path)) return
    const file = openSync(path, 'r')
    try {
      checkPages(path, file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof DamagedStoreError) throw error
    throw new StoreWriteError(`cannot open ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function checkPages(path: string, file: number): void {
  const sizeBytes = fstatSync(file).size
  if (sizeBytes === 0) return
  const failure = (why: string) => new DamagedStoreError(`${path} ${why}; ${wayOut}`)
  const first = metaOf(file, 0)
  if (!first) throw failure('is not a data file of Kubernode, or its beginning is damaged')
  const second = metaOf(file, first.pageBytes)
  if (!second) throw failure('is damaged at its beginning')
  const newest = second.transaction > first.transaction ? second : first
  if ((newest.lastPage + 1 - missingPagesMax) * first.pageBytes > sizeBytes) {
    throw failure(`is cut off: ${sizeBytes} bytes of ${(newest.lastPage + 1) * first.pageBytes}`)
  }
}

interface Meta {
  readonly pageBytes: number
  readonly lastPage: number
  readonly transaction: number
}

function metaOf(file: number, position: number): Meta | undefined {
  const page = Buffer.alloc(256)
  if (readSync(file, page, 0, page.length, position) < page.length) return undefined
  const meta = page.subarray(metaAt)
  if (meta.readUInt32LE(0) !== lmdbMagic) return undefined
  // magic, version, address, map size, two databases of 48 bytes (the first's pad is the page size), last page, transaction
  return {
    pageBytes: meta.readUInt32LE(24),
    lastPage: Number(meta.readBigUInt64LE(120)),
    transaction: Number(meta.readBigUInt64LE(128)),
  }
}

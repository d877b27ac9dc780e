import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from './problem.ts'

/** The system's word for a failed file operation. */
const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

const diskFixes: Record<string, string> = {
  ENOSPC: 'free some space on that disk and run the command again',
  EROFS: 'the file system is mounted read-only: choose another folder by KUBERNODE_HOME',
  EACCES: 'run the command as a user who may write there (sudo), or choose another folder by KUBERNODE_HOME',
  EPERM: 'run the command as a user who may write there (sudo), or choose another folder by KUBERNODE_HOME',
}

/** A failed write as a problem that says what to do. */
export const diskProblem = (path: string, cause: unknown): Problem =>
  new Problem(
    'KN-DISK-01',
    `cannot write ${path}: ${errorCode(cause)}`,
    diskFixes[errorCode(cause)] ?? 'look at the path and its permissions',
    { cause },
  )

/** Makes a folder and its parents. */
export function ensureFolder(path: string, mode = 0o755): void {
  try {
    mkdirSync(path, { recursive: true, mode })
  } catch (error) {
    throw diskProblem(path, error)
  }
}

/** Writes a file so that a crash leaves the old content or the new one, never half. Private unless told otherwise. */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  ensureFolder(dirname(path))
  const temporary = `${path}.${process.pid}.new`
  try {
    const file = openSync(temporary, 'w', mode)
    try {
      const data = typeof content === 'string' ? Buffer.from(content) : content
      for (let written = 0; written < data.length;) written += writeSync(file, data, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    throw diskProblem(path, error)
  }
}

/** A file's text, or undefined when it does not exist. */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new Problem(
      'KN-DISK-01',
      `cannot read ${path}: ${errorCode(error)}`,
      'run the command as a user who may read it (sudo)',
      { cause: error },
    )
  }
}

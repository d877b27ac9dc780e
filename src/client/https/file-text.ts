import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'

interface Known {
  readonly text: string
  readonly modifiedMs: number
  checkedMs: number
}

const known = new Map<string, Known>()

/** How long a file's content is trusted before its time of change is looked at again. */
const trustMs = 60_000

/** A small file that may be replaced while the program runs (a rotated token or certificate), read again when it changed. */
export async function fileText(path: string, clock: Clock): Promise<string> {
  const had = known.get(path)
  const nowMs = clock.now()
  if (had && nowMs - had.checkedMs < trustMs) return had.text
  const { mtimeMs } = await stat(path)
  if (had && had.modifiedMs === mtimeMs) {
    had.checkedMs = nowMs
    return had.text
  }
  const text = await readFile(path, 'utf8')
  known.set(path, { text, modifiedMs: mtimeMs, checkedMs: nowMs })
  return text
}

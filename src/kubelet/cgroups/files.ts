import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'

/** Removing waits for killed processes to be gone: so often, at this distance. */
const removeAttemptsMax = 50
const removeDelayMs = 20

/** A file's text; undefined when it is not there or cannot be read now. */
export const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )

/** A file's number; 0 when there is none ('max' too). */
export async function readNumber(path: string): Promise<number> {
  const number = Number(await readText(path))
  return Number.isFinite(number) ? number : 0
}

/** Writes a control file; says which one when the kernel refuses. */
export async function writeControl(folder: string, file: string, value: string | number): Promise<void> {
  try {
    await writeFile(join(folder, file), String(value))
  } catch (error) {
    throw new Error(`the kernel refuses "${value}" in ${join(folder, file)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Whether there is such a file or folder. */
export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Makes a cgroup's folder. */
export async function createFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
}

/** Folders directly below. */
export async function childFolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []) // Gone: it has none.
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** Kills everything in a cgroup and below, then removes the folders from the bottom up. */
export async function removeTree(path: string, clock: Clock): Promise<void> {
  for (let attempt = 0; attempt < removeAttemptsMax; attempt++) {
    if (await removeOnce(path)) return
    await clock.sleep(removeDelayMs)
  }
  throw new Error(`cgroup ${path} cannot be removed: processes in it do not end`)
}

async function removeOnce(path: string): Promise<boolean> {
  let gone = true
  for (const child of await childFolders(path)) gone = (await removeOnce(join(path, child))) && gone
  for (const pid of ((await readText(join(path, 'cgroup.procs'))) ?? '').split('\n').filter(Boolean)) kill(Number(pid))
  if (!gone) return false
  try {
    await rmdir(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** `key value` lines as a map. */
export function parseStat(text: string | undefined): ReadonlyMap<string, number> {
  return new Map(
    (text ?? '')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([key = '', value]) => [key, Number(value)]),
  )
}

import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** One file to be written. */
export interface PayloadFile {
  readonly bytes: Uint8Array
  readonly mode: number
  /** The user who owns it, where not root. */
  readonly uid?: number | undefined
}

/** Files by their path inside the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>

const dataLink = '..data'
const newDataLink = '..data_tmp'
const pathLengthMax = 4096

/**
 * Writes files into a volume so that a reader sees all of the old or all of the new ones, never a mixture. Upstream's layout, which programs rely on:
 *
 *     ..2026_01_01_00_00_00.123456/key   the files
 *     ..data -> ..2026_01_01_…           replaced in one step
 *     key -> ..data/key                  what containers open
 *
 * `own` sets owners and modes before the files are seen. Returns whether anything changed.
 */
export async function writeAtomically(
  folder: string,
  payload: Payload,
  own: (folder: string) => Promise<void>,
  stamp: string,
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path)
  const current = await readlink(join(folder, dataLink)).catch(() => undefined) // The first time there is none.
  if (current !== undefined && (await holds(join(folder, current), payload))) {
    // A kubelet that was killed in the middle may not have come to this.
    await bringLinks(folder, payload, current)
    return false
  }
  const fresh = await mkdtemp(join(folder, `..${stamp}.`))
  await chmod(fresh, 0o755)
  for (const [path, file] of payload) await writeOne(join(fresh, path), file)
  await own(fresh)
  await rm(join(folder, newDataLink), { force: true })
  await symlink(fresh.slice(folder.length + 1), join(folder, newDataLink))
  await rename(join(folder, newDataLink), join(folder, dataLink))
  await bringLinks(folder, payload, fresh.slice(folder.length + 1))
  return true
}

function checkPath(path: string): void {
  const parts = path.split('/')
  if (
    path === '' ||
    path.startsWith('/') ||
    path.length > pathLengthMax ||
    parts.includes('..') ||
    parts[0]!.startsWith('..')
  )
    throw new Error(`invalid path: "${path}" must be relative, not empty, and not begin with or contain '..'`)
}

async function writeOne(path: string, { bytes, mode, uid }: PayloadFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await writeFile(path, bytes, { mode })
  await chmod(path, mode) // Whatever the umask was.
  if (uid !== undefined) await chown(path, uid, -1)
}

/** Whether a data folder holds exactly this. */
async function holds(folder: string, payload: Payload): Promise<boolean> {
  const there = await filesBelow(folder, '')
  if (there.length !== payload.size) return false
  for (const path of there) {
    const wanted = payload.get(path)
    if (!wanted || !(await readFile(join(folder, path))).equals(wanted.bytes)) return false
  }
  return true
}

async function filesBelow(folder: string, prefix: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => [])) {
    const path = join(prefix, entry.name)
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)))
    else found.push(path)
  }
  return found
}

const firstParts = (payload: Payload) => new Set([...payload.keys()].map((path) => path.split('/')[0]!))

/** Makes the links that are missing, then removes those to what is no more, and data folders that are replaced. */
async function bringLinks(folder: string, payload: Payload, current: string): Promise<void> {
  const wanted = firstParts(payload)
  const there = new Set(await readdir(folder))
  for (const name of wanted) if (!there.has(name)) await symlink(join(dataLink, name), join(folder, name))
  for (const name of there) {
    const path = join(folder, name)
    if (name === dataLink || name === current || wanted.has(name)) continue
    if (name.startsWith('..')) await rm(path, { recursive: true, force: true })
    else if ((await lstat(path)).isSymbolicLink()) await unlink(path)
  }
}

/** How data folders are named after the time: 2026_01_31_09_05_59 */
export const dataStamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '_')

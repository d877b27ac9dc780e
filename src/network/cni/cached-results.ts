import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where containerd's CNI library remembers what plugins answered, whatever its own folders are. */
export const cniCacheDir = '/var/lib/cni/results'

/** What is read of a remembered answer. */
interface Remembered {
  readonly containerId?: string
  /** The network's configuration, in base64. */
  readonly config?: string
}

/**
 * Forgets the answers for sandboxes with addresses from `ipamDir`: sandboxes that ended without the runtime leave theirs behind. Folders that are empty then go, too.
 */
export function removeCachedResults(ipamDir: string, cacheDir: string = cniCacheDir): void {
  const files = namesIn(cacheDir)
  const remembered = new Map(files.map((file) => [file, read(join(cacheDir, file))]))
  const ours = new Set(
    remembered
      .values()
      .filter(({ config = '' }) => Buffer.from(config, 'base64').includes(JSON.stringify(ipamDir)))
      .map(({ containerId }) => containerId),
  )
  for (const [file, { containerId }] of remembered)
    if (containerId !== undefined && ours.has(containerId)) rmSync(join(cacheDir, file), { force: true })
  for (const folder of [cacheDir, dirname(cacheDir)]) removeIfEmpty(folder)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // it was never made
  }
}

function read(path: string): Remembered {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Remembered
  } catch {
    return {} // gone meanwhile, or not the library's
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // somebody else's answers are in it, or it is not there
  }
}

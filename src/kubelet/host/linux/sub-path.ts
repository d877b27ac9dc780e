import { constants } from 'node:fs'
import { mkdir, open, readdir, readlink, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SubPathOptions } from '../host.ts'
import { isMountPoint, mount, unmount } from './mount.ts'

/** Below a pod's folder; upstream's name, so that either kubelet cleans up after the other. */
const folderName = 'volume-subpaths'

/**
 * Makes a part of a volume safe to mount. A container could replace a folder of its volume by a link to the node's files between check and use; so the part is
 * opened step by step without following links, and what is then open is bound to a path of ours, which nobody else can change.
 */
export async function bindSubPath(podFolder: string, options: SubPathOptions): Promise<string> {
  const target = join(podFolder, folderName, options.volumeName, options.containerName, String(options.index))
  if (await isMountPoint(target)) await unmount(target)
  const file = await openWithin(options.volumePath, options.subPath, options.readOnly)
  try {
    const isFolder = (await file.stat()).isDirectory()
    await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o750 })
    if (!isFolder) await writeFile(target, '')
    await mount(['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${file.fd}`, target])
    return target
  } finally {
    await file.close()
  }
}

const { O_DIRECTORY, O_NOFOLLOW } = constants
/** A pipe must not hold up who opens it. */
const O_RDONLY = constants.O_RDONLY | constants.O_NONBLOCK

/** Opens a path below a volume. A link is followed only where its end is inside the volume; what is missing is made as folders, with the volume's mode. */
async function openWithin(root: string, subPath: string, readOnly: boolean): Promise<FileHandle> {
  let current = await open(root, O_RDONLY | O_DIRECTORY)
  const base = await readlink(`/proc/self/fd/${current.fd}`)
  const { mode } = await current.stat()
  try {
    for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
      const path = `/proc/self/fd/${current.fd}/${part}`
      const next = await openPart(path, { subPath, readOnly, mode: mode & 0o7777, base })
      await current.close()
      current = next
    }
    return current
  } catch (error) {
    await current.close().catch(() => undefined) // Closed already.
    throw error
  }
}

interface PartOptions {
  readonly subPath: string
  readonly readOnly: boolean
  readonly mode: number
  readonly base: string
}

async function openPart(path: string, options: PartOptions): Promise<FileHandle> {
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      if (options.readOnly && (await isReadOnly(dirname(path))))
        throw new Error(
          `failed to create subPath directory for volumeMount: "${options.subPath}" is not in the volume`,
          { cause: error },
        )
      await mkdir(path, { mode: options.mode })
      return open(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY)
    }
    if (code !== 'ELOOP') throw error
    // A link: the atomic writer makes them (`key -> ..data/key`). What it leads to must be inside.
    const file = await open(path, O_RDONLY)
    const real = await readlink(`/proc/self/fd/${file.fd}`)
    if (real === options.base || real.startsWith(`${options.base}/`)) return file
    await file.close()
    throw new Error(`failed to prepare subPath for volumeMount: "${options.subPath}" leads out of its volume`, {
      cause: error,
    })
  }
}

async function isReadOnly(path: string): Promise<boolean> {
  const probe = await open(path, O_RDONLY | O_DIRECTORY)
  try {
    const { mode } = await stat(`/proc/self/fd/${probe.fd}`)
    return (mode & 0o222) === 0
  } finally {
    await probe.close()
  }
}

/** Takes all of a pod's sub-paths down. */
export async function unmountSubPaths(podFolder: string): Promise<void> {
  const root = join(podFolder, folderName)
  for (const volume of await readdir(root).catch(() => [])) {
    for (const container of await readdir(join(root, volume)).catch(() => [])) {
      for (const index of await readdir(join(root, volume, container)).catch(() => [])) {
        const path = join(root, volume, container, index)
        await unmount(path)
        // Only what is left of the mount point goes: a folder must be empty.
        if ((await stat(path)).isDirectory()) await rmdir(path)
        else await rm(path)
      }
    }
  }
  await rm(root, { recursive: true, force: true })
}

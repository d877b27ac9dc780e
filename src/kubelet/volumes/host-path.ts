import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HostPathVolumeSource } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

type Check = (info: Awaited<ReturnType<typeof stat>>) => boolean

const checks: Readonly<Record<string, readonly [Check, string]>> = {
  Directory: [(info) => info.isDirectory(), 'is not a directory'],
  DirectoryOrCreate: [(info) => info.isDirectory(), 'is not a directory'],
  File: [(info) => info.isFile(), 'is not a file'],
  FileOrCreate: [(info) => info.isFile(), 'is not a file'],
  Socket: [(info) => info.isSocket(), 'is not a socket file'],
  CharDevice: [(info) => info.isCharacterDevice(), 'is not a character device'],
  BlockDevice: [(info) => info.isBlockDevice(), 'is not a block device'],
}

/** Sees to it that the node's path is what the volume says it is, and makes it where the type allows. */
export async function ensureHostPath({ path, type = '' }: Frozen<HostPathVolumeSource>): Promise<void> {
  const check = checks[type]
  if (!check) return
  const info = await stat(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
    else if (type === 'FileOrCreate') await writeFile(await withParent(path), '', { mode: 0o644, flag: 'a' })
    else throw new Error(`hostPath type check failed: ${path} ${check[1]}`, { cause: error })
    return stat(path)
  })
  if (!check[0](info)) throw new Error(`hostPath type check failed: ${path} ${check[1]}`)
}

/** Only the file is made, never the folders above it. */
async function withParent(path: string): Promise<string> {
  await stat(dirname(path))
  return path
}

import { chmod, mkdir } from 'node:fs/promises'
import { isMountPoint, mount } from '../host/linux/mount.ts'

/** How an empty folder is kept. */
export interface EmptyDirOptions {
  readonly memory: boolean
  /** Of memory; 0: as much as the node has. */
  readonly sizeBytes: number
  readonly mode: number
  readonly hugePages?: string
}

/** Makes an empty folder, in memory where asked for. What is there already stays. */
export async function makeEmptyDir(path: string, options: EmptyDirOptions): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 })
  if (options.hugePages !== undefined && !(await isMountPoint(path))) {
    await mount([
      '-t',
      'hugetlbfs',
      ...(options.hugePages ? ['-o', `pagesize=${options.hugePages}`] : []),
      'nodev',
      path,
    ])
  } else if (options.memory && !(await isMountPoint(path))) {
    await mount(['-t', 'tmpfs', ...(options.sizeBytes > 0 ? ['-o', `size=${options.sizeBytes}`] : []), 'tmpfs', path])
  }
  await chmod(path, options.mode)
}

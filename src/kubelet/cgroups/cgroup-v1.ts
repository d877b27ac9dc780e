import { dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { CgroupUsage } from '../host/host.ts'
import type { CgroupLimits, CgroupTree } from './cgroup-tree.ts'
import {
  childFolders,
  createFolder,
  isThere,
  parseStat,
  readNumber,
  readText,
  removeTree,
  writeControl,
} from './files.ts'

/** Version 1: a tree for each controller. `mounts` says where each controller's is. */
export class CgroupV1 implements CgroupTree {
  readonly version = 1
  readonly #mounts: ReadonlyMap<string, string>
  readonly #clock: Clock

  constructor(mounts: ReadonlyMap<string, string>, clock: Clock) {
    this.#mounts = mounts
    this.#clock = clock
  }

  async create(path: string): Promise<void> {
    await Promise.all(this.#folders(path).map(createFolder))
    const root = this.#mounts.get('cpuset')
    if (root) await Promise.all(['cpuset.cpus', 'cpuset.mems'].map((file) => inherit(root, join(root, path), file)))
  }

  async limit(path: string, limits: CgroupLimits): Promise<void> {
    const [cpu, memory, pids] = ['cpu', 'memory', 'pids'].map((controller) => this.#folder(controller, path))
    const limitCpu = async (folder: string) => {
      if (limits.cpuShares !== undefined) await writeControl(folder, 'cpu.shares', limits.cpuShares)
      if (limits.cpuPeriodUs !== undefined) await writeControl(folder, 'cpu.cfs_period_us', limits.cpuPeriodUs)
      if (limits.cpuQuotaUs !== undefined) await writeControl(folder, 'cpu.cfs_quota_us', limits.cpuQuotaUs || -1)
    }
    const one = async (folder: string | undefined, file: string, limit: number | undefined, none: string | number) => {
      if (folder && limit !== undefined) await writeControl(folder, file, limit || none)
    }
    await Promise.all([
      cpu && limitCpu(cpu),
      one(memory, 'memory.limit_in_bytes', limits.memoryBytes, -1),
      one(pids, 'pids.max', limits.pids, 'max'),
    ])
  }

  async exists(path: string): Promise<boolean> {
    for (const controller of ['cpu', 'memory']) {
      const folder = this.#folder(controller, path)
      if (folder && !(await isThere(folder))) return false
    }
    return true
  }

  async children(path: string): Promise<readonly string[]> {
    const names = await Promise.all(this.#folders(path).map(childFolders))
    return [...new Set(names.flat())]
  }

  async remove(path: string): Promise<void> {
    await Promise.all(this.#folders(path).map((folder) => removeTree(folder, this.#clock)))
  }

  async usage(path: string): Promise<CgroupUsage | undefined> {
    const [cpuacct, memory, pids] = ['cpuacct', 'memory', 'pids'].map((controller) => this.#folder(controller, path))
    const stat = memory ? parseStat(await readText(join(memory, 'memory.stat'))) : new Map<string, number>()
    const memoryBytes = memory ? await readNumber(join(memory, 'memory.usage_in_bytes')) : 0
    return {
      cpuNanos: cpuacct ? await readNumber(join(cpuacct, 'cpuacct.usage')) : 0,
      memoryBytes,
      workingSetBytes: Math.max(0, memoryBytes - (stat.get('total_inactive_file') ?? 0)),
      rssBytes: stat.get('total_rss') ?? 0,
      pids: pids ? await readNumber(join(pids, 'pids.current')) : 0,
    }
  }

  async countsSwap(path: string): Promise<boolean> {
    const memory = this.#folder('memory', path)
    return memory !== undefined && (await isThere(join(memory, 'memory.memsw.limit_in_bytes')))
  }

  #folder(controller: string, path: string): string | undefined {
    const root = this.#mounts.get(controller)
    return root && join(root, path)
  }

  /** One for each tree; controllers that are mounted together share one. */
  #folders(path: string): string[] {
    return [...new Set(this.#mounts.values())].map((root) => join(root, path))
  }
}

/** What a cpuset's file says. A new one is empty and takes no process: it gets what its parent has, which may have to get it first. */
async function inherit(root: string, folder: string, file: string): Promise<string> {
  const own = (await readText(join(folder, file))) ?? ''
  if (own !== '' || folder.length <= root.length) return own
  const value = await inherit(root, dirname(folder), file)
  if (value !== '') await writeControl(folder, file, value)
  return value
}

import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { CgroupUsage } from '../host/host.ts'
import type { CgroupLimits, CgroupTree } from './cgroup-tree.ts'
import { childFolders, createFolder, parseStat, readNumber, readText, removeTree, writeControl } from './files.ts'

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
    for (const folder of this.#folders(path)) await createFolder(folder)
    await this.#inheritCpuset(path)
  }

  async limit(path: string, limits: CgroupLimits): Promise<void> {
    const [cpu, memory, pids] = ['cpu', 'memory', 'pids'].map((controller) => this.#folder(controller, path))
    if (cpu && limits.cpuShares !== undefined) await writeControl(cpu, 'cpu.shares', limits.cpuShares)
    if (cpu && limits.cpuPeriodUs !== undefined) await writeControl(cpu, 'cpu.cfs_period_us', limits.cpuPeriodUs)
    if (cpu && limits.cpuQuotaUs !== undefined) await writeControl(cpu, 'cpu.cfs_quota_us', limits.cpuQuotaUs || -1)
    if (memory && limits.memoryBytes !== undefined)
      await writeControl(memory, 'memory.limit_in_bytes', limits.memoryBytes || -1)
    if (pids && limits.pids !== undefined) await writeControl(pids, 'pids.max', limits.pids || 'max')
  }

  async exists(path: string): Promise<boolean> {
    for (const controller of ['cpu', 'memory']) {
      const folder = this.#folder(controller, path)
      if (
        folder &&
        !(await access(folder).then(
          () => true,
          () => false,
        ))
      )
        return false
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

  /** A new cpuset is empty and takes no process: it gets its parent's, from the top down. */
  async #inheritCpuset(path: string): Promise<void> {
    const root = this.#mounts.get('cpuset')
    if (!root) return
    let parent = root
    for (const part of path.split('/').filter(Boolean)) {
      const folder = join(parent, part)
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        const value = await readText(join(parent, file))
        if (value && (await readText(join(folder, file))) === '') await writeControl(folder, file, value)
      }
      parent = folder
    }
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

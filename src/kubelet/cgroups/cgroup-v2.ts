import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { CgroupUsage } from '../host/host.ts'
import type { CgroupLimits, CgroupTree } from './cgroup-tree.ts'
import { childFolders, createFolder, parseStat, readNumber, readText, removeTree, writeControl } from './files.ts'

/** What pods are limited and measured by. */
const controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']

/** Version 2: one tree for all controllers. */
export class CgroupV2 implements CgroupTree {
  readonly version = 2
  readonly #root: string
  readonly #clock: Clock

  constructor(root: string, clock: Clock) {
    this.#root = root
    this.#clock = clock
  }

  /** Every cgroup above hands its controllers down. */
  async create(path: string): Promise<void> {
    let folder = this.#root
    for (const part of path.split('/').filter(Boolean)) {
      await this.#handDown(folder)
      folder = join(folder, part)
      await createFolder(folder)
    }
    await this.#handDown(folder)
  }

  async limit(path: string, limits: CgroupLimits): Promise<void> {
    const folder = join(this.#root, path)
    if (limits.cpuShares !== undefined) await writeControl(folder, 'cpu.weight', cpuWeight(limits.cpuShares))
    if (limits.cpuQuotaUs !== undefined)
      await writeControl(folder, 'cpu.max', `${limits.cpuQuotaUs || 'max'} ${limits.cpuPeriodUs ?? 100_000}`)
    if (limits.memoryBytes !== undefined) await writeControl(folder, 'memory.max', limits.memoryBytes || 'max')
    if (limits.pids !== undefined) await writeControl(folder, 'pids.max', limits.pids || 'max')
  }

  exists(path: string): Promise<boolean> {
    return access(join(this.#root, path)).then(
      () => true,
      () => false,
    )
  }

  children(path: string): Promise<readonly string[]> {
    return childFolders(join(this.#root, path))
  }

  remove(path: string): Promise<void> {
    return removeTree(join(this.#root, path), this.#clock)
  }

  async usage(path: string): Promise<CgroupUsage | undefined> {
    const folder = join(this.#root, path)
    const cpu = parseStat(await readText(join(folder, 'cpu.stat')))
    const stat = parseStat(await readText(join(folder, 'memory.stat')))
    const memoryBytes = await readNumber(join(folder, 'memory.current'))
    return {
      cpuNanos: (cpu.get('usage_usec') ?? 0) * 1000,
      memoryBytes,
      workingSetBytes: Math.max(0, memoryBytes - (stat.get('inactive_file') ?? 0)),
      rssBytes: stat.get('anon') ?? 0,
      pids: await readNumber(join(folder, 'pids.current')),
    }
  }

  async #handDown(folder: string): Promise<void> {
    const there = new Set(((await readText(join(folder, 'cgroup.controllers'))) ?? '').split(' '))
    const already = new Set(((await readText(join(folder, 'cgroup.subtree_control'))) ?? '').split(' '))
    const missing = controllers.filter((name) => there.has(name) && !already.has(name))
    if (missing.length > 0)
      await writeControl(folder, 'cgroup.subtree_control', missing.map((name) => `+${name}`).join(' '))
  }
}

/** Version 1's shares (2 … 262144) as version 2's weight (1 … 10000), as runc converts them. */
export const cpuWeight = (shares: number): number => Math.floor(1 + ((shares - 2) * 9999) / 262_142)

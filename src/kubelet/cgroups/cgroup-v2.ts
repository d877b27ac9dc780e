import { join } from 'node:path'
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

/** What pods are limited and measured by. */
const controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']
/** Without these, limits could not be kept. */
const needed: ReadonlySet<string> = new Set(['+cpu', '+memory', '+pids'])
/** Where processes go that stand in the root of a container; the name that other programs use for it. */
const ownCgroup = 'init'
/** Processes that were just started are met at the next attempt. */
const emptyAttemptsMax = 5

/** Version 2: one tree for all controllers. */
export class CgroupV2 implements CgroupTree {
  readonly version = 2
  readonly #root: string
  readonly #clock: Clock
  readonly #write: typeof writeControl

  /** `write` stands for the kernel in tests. */
  constructor(root: string, clock: Clock, write = writeControl) {
    this.#root = root
    this.#clock = clock
    this.#write = write
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
    if (limits.cpuShares !== undefined) await this.#write(folder, 'cpu.weight', cpuWeight(limits.cpuShares))
    if (limits.cpuQuotaUs !== undefined)
      await this.#write(folder, 'cpu.max', `${limits.cpuQuotaUs || 'max'} ${limits.cpuPeriodUs ?? 100_000}`)
    if (limits.memoryBytes !== undefined) await this.#write(folder, 'memory.max', limits.memoryBytes || 'max')
    if (limits.pids !== undefined) await this.#write(folder, 'pids.max', limits.pids || 'max')
  }

  exists(path: string): Promise<boolean> {
    return isThere(join(this.#root, path))
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
    const [anon, file] = [stat.get('anon') ?? 0, stat.get('file') ?? 0]
    // The machine's own cgroup does not say how much it uses: what version 1 counted there is the sum of these.
    const current = await readText(join(folder, 'memory.current'))
    const memoryBytes = current === undefined ? anon + file : Number(current)
    return {
      cpuNanos: (cpu.get('usage_usec') ?? 0) * 1000,
      memoryBytes,
      workingSetBytes: Math.max(0, memoryBytes - (stat.get('inactive_file') ?? 0)),
      rssBytes: anon,
      pids: await readNumber(join(folder, 'pids.current')),
    }
  }

  countsSwap(path: string): Promise<boolean> {
    return isThere(join(this.#root, path, 'memory.swap.max'))
  }

  /** Lets the cgroups below have the controllers. */
  async #handDown(folder: string): Promise<void> {
    const there = new Set(((await readText(join(folder, 'cgroup.controllers'))) ?? '').split(' '))
    const already = new Set(((await readText(join(folder, 'cgroup.subtree_control'))) ?? '').split(' '))
    const missing = controllers.filter((name) => there.has(name) && !already.has(name)).map((name) => `+${name}`)
    if (missing.length === 0) return
    const write = (text: string) => this.#write(folder, 'cgroup.subtree_control', text)
    try {
      return await write(missing.join(' '))
    } catch (error) {
      if (folder === this.#root && isBusy(error)) await this.#emptyRoot()
    }
    // A kernel may refuse a single one, such as cpu while a process of real time runs.
    for (const name of missing)
      await write(name).catch((error: unknown) => {
        if (needed.has(name)) throw error
      })
  }

  /**
   * In a container, what looks like the root is a cgroup as any other: while processes are in it, it may hand nothing down. They move one down, as in every
   * container that has containers.
   */
  async #emptyRoot(): Promise<void> {
    const below = join(this.#root, ownCgroup)
    await createFolder(below)
    for (let attempt = 0; attempt < emptyAttemptsMax; attempt++) {
      const pids = ((await readText(join(this.#root, 'cgroup.procs'))) ?? '').split('\n').filter(Boolean)
      if (pids.length === 0) return
      // One that has ended meanwhile does not matter; one that stays makes the next step fail, which says so.
      for (const pid of pids) await this.#write(below, 'cgroup.procs', pid).catch(() => undefined)
    }
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EBUSY'

/** Version 1's shares (2 … 262144) as version 2's weight (1 … 10000), as upstream's kubelet converts them; a runtime may draw another curve for containers. */
export const cpuWeight = (shares: number): number => Math.floor(1 + ((shares - 2) * 9999) / 262_142)

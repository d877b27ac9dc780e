import type { CgroupUsage } from '../host/host.ts'

/** What a cgroup is limited to; what is undefined stays as it is. */
export interface CgroupLimits {
  readonly cpuShares?: number
  /** 0: none. */
  readonly cpuQuotaUs?: number
  readonly cpuPeriodUs?: number
  /** 0: none. */
  readonly memoryBytes?: number
  /** 0: none. */
  readonly pids?: number
}

/** The kernel's cgroups by path (`kubepods/burstable/podX`), version 1 or 2 behind it. */
export interface CgroupTree {
  readonly version: 1 | 2
  /** Makes it, and those above it. */
  create(path: string): Promise<void>
  limit(path: string, limits: CgroupLimits): Promise<void>
  exists(path: string): Promise<boolean>
  children(path: string): Promise<readonly string[]>
  /** Kills what runs in it and below, and removes it; one that is gone is removed. */
  remove(path: string): Promise<void>
  usage(path: string): Promise<CgroupUsage | undefined>
  /** Whether swap is counted in the cgroup, and can be limited. */
  countsSwap(path: string): Promise<boolean>
}

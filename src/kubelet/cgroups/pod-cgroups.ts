import { join } from 'node:path'
import type { Pod, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Logger } from '../../base/log.ts'
import type { CgroupKind, CgroupUsage, PodCgroups } from '../host/host.ts'
import { wholeAmount, cpuMillis } from '../pod/amount.ts'
import { amountsOf, cpuQuotaUs, cpuShares, podAmounts, qosClass, type QosClass } from '../pod/resources.ts'
import type { CgroupLimits, CgroupTree } from './cgroup-tree.ts'

/** How the node's cgroups are laid out. */
export interface PodCgroupsOptions {
  readonly tree: CgroupTree
  /** KubeletConfiguration's cgroupRoot: '/' in a cluster, a folder of its own for each of several nodes on one machine. */
  readonly root: string
  /** How the runtime names parents: paths, or systemd's slices. */
  readonly driver: 'cgroupfs' | 'systemd'
  readonly cpuCfsQuota: boolean
  readonly cpuCfsPeriodUs: number
  readonly podPidsLimit: number
  readonly log: Logger
}

/** The classes' folders; guaranteed pods stand directly below the root. */
const classFolders: Readonly<Record<QosClass, string>> = {
  Guaranteed: '',
  Burstable: 'burstable',
  BestEffort: 'besteffort',
}

/** The pods' cgroups by upstream's layout: `kubepods/podX`, `kubepods/burstable/podX`, `kubepods/besteffort/podX`. */
export class KernelPodCgroups implements PodCgroups {
  readonly #options: PodCgroupsOptions
  readonly #ready = new Set<string>()
  /** What the burstable pods together had last. */
  #burstableMillis: number | undefined
  #kind: CgroupKind

  constructor(options: PodCgroupsOptions) {
    this.#options = options
    this.#kind = { version: options.tree.version, countsSwap: false }
  }

  get kind(): CgroupKind {
    return this.#kind
  }

  async prepareNode(available: Readonly<Record<string, string>>): Promise<void> {
    const { tree } = this.#options
    for (const folder of Object.values(classFolders)) await tree.create(this.#classPath(folder))
    this.#kind = { version: tree.version, countsSwap: await tree.countsSwap(this.#classPath('')) }
    await tree.limit(this.#classPath(''), {
      cpuShares: cpuShares(cpuMillis(available['cpu'])),
      memoryBytes: wholeAmount(available['memory']),
    })
    await tree.limit(this.#classPath(classFolders.BestEffort), { cpuShares: cpuShares(0) })
  }

  async ensurePod(pod: Frozen<Pod>, before?: Frozen<Pod>): Promise<string> {
    const uid = pod.metadata.uid ?? ''
    const { tree, log } = this.#options
    const path = this.#podPath(pod)
    const limits = before ? widest(this.#limits(pod), this.#limits(before)) : this.#limits(pod)
    const key = `${uid} ${JSON.stringify(limits)}`
    if (!this.#ready.has(key) || !(await tree.exists(path))) {
      await tree.create(path)
      // A limit below what runs already is refused: the pod goes on with what it had.
      await tree
        .limit(path, limits)
        .catch((error: unknown) =>
          log.warn({ err: error, pod: pod.metadata.name }, 'the pod cgroup could not be limited'),
        )
      for (const old of this.#ready) if (old.startsWith(`${uid} `)) this.#ready.delete(old)
      this.#ready.add(key)
    }
    return this.parentOf(pod)
  }

  parentOf(pod: Frozen<Pod>): string {
    const folder = classFolders[qosClass(pod)]
    if (this.#options.driver === 'systemd')
      return `${['kubepods', folder, `pod${(pod.metadata.uid ?? '').replaceAll('-', '_')}`].filter(Boolean).join('-')}.slice`
    return join('/', this.#podPath(pod))
  }

  async updateClasses(pods: readonly Frozen<Pod>[]): Promise<void> {
    let millis = 0
    for (const pod of pods) if (qosClass(pod) === 'Burstable') millis += podAmounts(pod, 'requests')['cpu'] ?? 0
    if (millis === this.#burstableMillis) return
    await this.#options.tree.limit(this.#classPath(classFolders.Burstable), { cpuShares: cpuShares(millis) })
    this.#burstableMillis = millis
  }

  async removePod(uid: string): Promise<void> {
    for (const old of this.#ready) if (old.startsWith(`${uid} `)) this.#ready.delete(old)
    for (const folder of Object.values(classFolders))
      await this.#options.tree.remove(join(this.#classPath(folder), this.#podFolder(uid, folder)))
  }

  async podUids(): Promise<readonly string[]> {
    const found: string[] = []
    for (const folder of Object.values(classFolders)) {
      for (const child of await this.#options.tree.children(this.#classPath(folder))) {
        const uid = /(?:^|-)pod([0-9a-f][0-9a-f_-]+?)(?:\.slice)?$/.exec(child)?.[1]
        if (uid) found.push(uid.replaceAll('_', '-'))
      }
    }
    return found
  }

  async podUsage(uid: string): Promise<CgroupUsage | undefined> {
    const { tree } = this.#options
    for (const folder of Object.values(classFolders)) {
      const path = join(this.#classPath(folder), this.#podFolder(uid, folder))
      if (await tree.exists(path)) return tree.usage(path)
    }
    return undefined
  }

  nodeUsage(): Promise<CgroupUsage | undefined> {
    return this.#options.tree.usage('/')
  }

  #limits(pod: Frozen<Pod>): CgroupLimits {
    const { cpuCfsQuota, cpuCfsPeriodUs, podPidsLimit } = this.#options
    const requests = podAmounts(pod, 'requests')
    const limits = podAmounts(pod, 'limits')
    const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
    // The pod has a limit only when it is set for the pod itself, or for every container.
    const limited = (name: string) =>
      isLimited(pod.spec?.resources, name) || all.every(({ resources }) => isLimited(resources, name))
    return {
      cpuShares: cpuShares(qosClass(pod) === 'BestEffort' ? 0 : (requests['cpu'] ?? limits['cpu'] ?? 0)),
      ...(cpuCfsQuota &&
        limited('cpu') && { cpuQuotaUs: cpuQuotaUs(limits['cpu'] ?? 0, cpuCfsPeriodUs), cpuPeriodUs: cpuCfsPeriodUs }),
      ...(limited('memory') && { memoryBytes: limits['memory'] ?? 0 }),
      ...(podPidsLimit > 0 && { pids: podPidsLimit }),
    }
  }

  #podPath(pod: Frozen<Pod>): string {
    const folder = classFolders[qosClass(pod)]
    return join(this.#classPath(folder), this.#podFolder(pod.metadata.uid ?? '', folder))
  }

  #classPath(folder: string): string {
    const { root, driver } = this.#options
    if (driver === 'systemd')
      return folder ? join(root, 'kubepods.slice', `kubepods-${folder}.slice`) : join(root, 'kubepods.slice')
    return join(root, 'kubepods', folder)
  }

  #podFolder(uid: string, folder: string): string {
    return this.#options.driver === 'systemd'
      ? `${['kubepods', folder, `pod${uid.replaceAll('-', '_')}`].filter(Boolean).join('-')}.slice`
      : `pod${uid}`
  }
}

/** A limit of nothing is none. */
const isLimited = (resources: Frozen<ResourceRequirements> | undefined, name: string) =>
  Boolean(amountsOf(resources?.limits)[name])

/** Limits under which both can live; none is the widest. */
function widest(a: CgroupLimits, b: CgroupLimits): CgroupLimits {
  const wider = (x: number | undefined, y: number | undefined) =>
    x === undefined && y === undefined ? undefined : !x || !y ? 0 : Math.max(x, y)
  const cpuQuotaUs = wider(a.cpuQuotaUs, b.cpuQuotaUs)
  const memoryBytes = wider(a.memoryBytes, b.memoryBytes)
  return {
    ...b,
    ...a,
    ...(cpuQuotaUs !== undefined && { cpuQuotaUs }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  }
}

/** Where cgroups cannot be written: pods run without limits of their own, containers with the runtime's. */
export const noPodCgroups: PodCgroups = {
  kind: { version: undefined, countsSwap: false },
  prepareNode: async () => undefined,
  ensurePod: async () => '',
  parentOf: () => '',
  updateClasses: async () => undefined,
  removePod: async () => undefined,
  podUids: async () => [],
  podUsage: async () => undefined,
  nodeUsage: async () => undefined,
}

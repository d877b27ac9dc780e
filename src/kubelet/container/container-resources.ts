import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { LinuxContainerResources } from '../../runtime/cri/generated/cri.ts'
import type { CgroupKind } from '../host/host.ts'
import { isCritical } from '../pod/containers.ts'
import { amountsOf, cpuQuotaUs, cpuShares, oomScoreAdj } from '../pod/resources.ts'

/** What of the node decides limits. */
export interface ResourceOptions {
  readonly nodeMemoryBytes: number
  readonly cpuCfsQuota: boolean
  readonly cpuCfsPeriodUs: number
  readonly singleProcessOomKill: boolean
  readonly cgroups: CgroupKind
}

/** The container's limits in CRI's words. A limit of the pod holds where the container has none. */
export function containerResources(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  options: ResourceOptions,
): Init<LinuxContainerResources> {
  const requests = amountsOf(container.resources?.requests)
  const own = amountsOf(container.resources?.limits)
  const whole = amountsOf(pod.spec?.resources?.limits)
  const cpuLimit = own['cpu'] ?? whole['cpu'] ?? 0
  const memoryLimit = own['memory'] ?? whole['memory'] ?? 0
  return {
    cpuShares: cpuShares(requests['cpu'] ?? cpuLimit),
    ...(options.cpuCfsQuota && {
      cpuQuota: cpuQuotaUs(cpuLimit, options.cpuCfsPeriodUs),
      cpuPeriod: options.cpuCfsPeriodUs,
    }),
    ...(memoryLimit > 0 && { memoryLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdj(pod, container, options.nodeMemoryBytes, isCritical(pod)),
    hugepageLimits: hugepages(own),
    ...ofKernel(memoryLimit, options),
  }
}

/** Nothing swaps: what a pod may use would not be what it was promised. And who runs out of memory ends as a whole, where the kernel can do that. */
function ofKernel(
  memoryLimit: number,
  { cgroups, singleProcessOomKill }: ResourceOptions,
): Pick<Init<LinuxContainerResources>, 'unified' | 'memorySwapLimitInBytes'> {
  if (cgroups.version === 1) return cgroups.countsSwap && memoryLimit > 0 ? { memorySwapLimitInBytes: memoryLimit } : {}
  const unified = {
    ...(cgroups.version === 2 && !singleProcessOomKill && { 'memory.oom.group': '1' }),
    ...(cgroups.countsSwap && { 'memory.swap.max': '0' }),
  }
  return Object.keys(unified).length > 0 ? { unified } : {}
}

/** `hugepages-2Mi` in CRI's notation of page sizes: 2MB. */
function hugepages(limits: Readonly<Record<string, number>>): { readonly pageSize: string; readonly limit: number }[] {
  return Object.entries(limits)
    .filter(([name]) => name.startsWith('hugepages-'))
    .map(([name, limit]) => ({ pageSize: `${name.slice('hugepages-'.length).replace(/i$/, '')}B`, limit }))
}

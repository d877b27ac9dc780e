import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ContainerStats } from '../../runtime/cri/generated/cri.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { ownerOf } from '../runtime-state/read-pod.ts'
import type { CgroupUsage, MachineUsage } from '../host/host.ts'

/** What one pod uses, whole and by container. */
export interface PodStats {
  readonly pod: Frozen<Pod>
  /** Of its cgroup; undefined without one. */
  readonly usage: CgroupUsage | undefined
  readonly containers: readonly ContainerStats[]
}

/** What the pods of a node use, and the node. */
export interface NodeStats {
  readonly node: CgroupUsage | undefined
  readonly machine: MachineUsage
  readonly pods: readonly PodStats[]
}

/** Reads what everything uses now. */
export async function readStats(parts: KubeletParts): Promise<NodeStats> {
  const { runtime, host } = parts.options
  const [containers, machine] = await Promise.all([runtime.containerStats(), host.machine.usage()])
  const byPod = Map.groupBy(containers, ({ attributes }) => ownerOf(attributes?.labels ?? {})?.uid ?? '')
  const pods = await Promise.all(
    parts.pods.known().map(async (pod): Promise<PodStats> => {
      const uid = pod.metadata.uid ?? ''
      return { pod, usage: await host.cgroups.podUsage(uid), containers: byPod.get(uid) ?? [] }
    }),
  )
  return { node: await host.cgroups.nodeUsage(), machine, pods }
}

import type { Pod } from '../../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import type { ContainerStats } from '../../../runtime/cri/generated/cri.ts'
import type { CgroupUsage } from '../../host/host.ts'
import type { NodeStats } from '../../stats/pod-stats.ts'
import type { KubeletServerOptions } from '../kubelet-server.ts'

/** What one container uses. */
export interface ContainerUsage {
  readonly name: string
  readonly startMs: number
  readonly timeMs: number
  readonly cpuNanos: number | undefined
  readonly memory:
    | {
        readonly usageBytes: number | undefined
        readonly workingSetBytes: number
        readonly rssBytes: number | undefined
        readonly pageFaults: number
        readonly majorPageFaults: number
      }
    | undefined
  readonly rootfs: { readonly usedBytes: number; readonly inodesUsed: number } | undefined
}

/** What one pod uses: its cgroup's figures, or its containers' together. */
export interface PodUsage {
  readonly pod: Frozen<Pod>
  readonly startMs: number
  readonly cpuNanos: number
  readonly workingSetBytes: number
  readonly usageBytes: number
  readonly rssBytes: number
  readonly pids: number | undefined
  readonly containers: readonly ContainerUsage[]
}

/** What the node and its pods use now. */
export interface Usage {
  readonly timeMs: number
  readonly node: CgroupUsage | undefined
  readonly machine: NodeStats['machine']
  readonly pods: readonly PodUsage[]
}

/** Reads it. */
export async function readUsage({ kubelet, clock }: KubeletServerOptions): Promise<Usage> {
  const { node, machine, pods } = await kubelet.stats()
  const timeMs = clock.now()
  const running = pods.filter(
    ({ pod, containers }) =>
      containers.length > 0 && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
  )
  return {
    timeMs,
    node,
    machine,
    pods: running.map(({ pod, usage, containers }) =>
      podUsage(
        pod,
        usage,
        measured(containers).map((stats) => containerUsage(pod, stats, timeMs)),
      ),
    ),
  }
}

/** Those that run, one of each name: the runtime tells of earlier lives of a container, too, which use nothing any more. */
export function measured(containers: readonly ContainerStats[]): ContainerStats[] {
  const attempt = ({ attributes }: ContainerStats) => attributes?.metadata?.attempt ?? 0
  const byName = new Map<string, ContainerStats>()
  for (const stats of containers) {
    const name = stats.attributes?.metadata?.name ?? ''
    const other = byName.get(name)
    if (!stats.cpu?.usageCoreNanoSeconds && !stats.memory?.workingSetBytes) continue
    if (!other || attempt(other) < attempt(stats)) byName.set(name, stats)
  }
  return [...byName.values()]
}

function podUsage(pod: Frozen<Pod>, usage: CgroupUsage | undefined, containers: readonly ContainerUsage[]): PodUsage {
  const sum = (of: (container: ContainerUsage) => number | undefined) =>
    containers.reduce((total, container) => total + (of(container) ?? 0), 0)
  return {
    pod,
    startMs: Date.parse(pod.status?.startTime ?? '') || 0,
    cpuNanos: usage?.cpuNanos ?? sum(({ cpuNanos }) => cpuNanos),
    workingSetBytes: usage?.workingSetBytes ?? sum(({ memory }) => memory?.workingSetBytes),
    usageBytes: usage?.memoryBytes ?? sum(({ memory }) => memory?.usageBytes ?? memory?.workingSetBytes),
    rssBytes: usage?.rssBytes ?? sum(({ memory }) => memory?.rssBytes),
    pids: usage?.pids,
    containers,
  }
}

function containerUsage(
  pod: Frozen<Pod>,
  { attributes, cpu, memory, writableLayer }: ContainerStats,
  nowMs: number,
): ContainerUsage {
  const name = attributes?.metadata?.name ?? ''
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  const status = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (each) => each.name === name,
  )
  return {
    name,
    startMs: Date.parse(status?.state?.running?.startedAt ?? '') || 0,
    timeMs: cpu?.timestamp ? cpu.timestamp / 1e6 : nowMs,
    cpuNanos: cpu?.usageCoreNanoSeconds?.value,
    memory: memory?.workingSetBytes && {
      usageBytes: memory.usageBytes?.value,
      workingSetBytes: memory.workingSetBytes.value,
      rssBytes: memory.rssBytes?.value,
      pageFaults: memory.pageFaults?.value ?? 0,
      majorPageFaults: memory.majorPageFaults?.value ?? 0,
    },
    rootfs: writableLayer && {
      usedBytes: writableLayer.usedBytes?.value ?? 0,
      inodesUsed: writableLayer.inodesUsed?.value ?? 0,
    },
  }
}

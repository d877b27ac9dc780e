import type { FilesystemUsage } from '../../host/host.ts'
import { json, type Endpoint } from '../request.ts'
import { readUsage, type ContainerUsage, type PodUsage, type Usage } from './usage.ts'
import { Rates } from './rates.ts'
import { timeText } from '../../../api/schema/times.ts'

/** CPU time when it was last asked for, a server each: what a rate is made from. */
const ratesOf = new WeakMap<AbortSignal, Rates>()

/** GET /stats/summary: stats.kubelet.k8s.io's summary of the node and its pods. */
export const statsSummary: Endpoint = async ({ server, url }) => {
  const usage = await readUsage(server)
  let rates = ratesOf.get(server.closing)
  if (!rates) ratesOf.set(server.closing, (rates = new Rates()))
  if (url.searchParams.get('only_cpu_and_memory') === 'true')
    return json({
      node: node(usage, server.kubelet.nodeName, rates, true),
      pods: usage.pods.map((pod) => podOf(pod, usage, rates, true)),
    })
  return json({
    node: node(usage, server.kubelet.nodeName, rates, false),
    pods: usage.pods.map((pod) => podOf(pod, usage, rates, false)),
  })
}

function node({ node: used, machine, timeMs }: Usage, nodeName: string, rates: Rates, short: boolean): object {
  return {
    nodeName,
    ...(used && {
      cpu: cpu('node', used.cpuNanos, timeMs, rates),
      memory: {
        time: timeText(timeMs),
        availableBytes: machine.memoryAvailableBytes,
        usageBytes: used.memoryBytes,
        workingSetBytes: used.workingSetBytes,
        rssBytes: used.rssBytes,
        pageFaults: 0,
        majorPageFaults: 0,
      },
    }),
    ...(!short && {
      ...(machine.nodefs && { fs: filesystem(machine.nodefs, timeMs) }),
      ...(machine.imagefs && {
        runtime: { imageFs: filesystem(machine.imagefs, timeMs), containerFs: filesystem(machine.imagefs, timeMs) },
      }),
      rlimit: { time: timeText(timeMs), maxpid: machine.pidsMax, curproc: machine.pidsMax - machine.pidsAvailable },
    }),
  }
}

function podOf(pod: PodUsage, { timeMs, machine }: Usage, rates: Rates, short: boolean): object {
  const { name = '', namespace = '', uid = '' } = pod.pod.metadata
  const usedBytes = pod.containers.reduce((sum, { rootfs }) => sum + (rootfs?.usedBytes ?? 0), 0)
  return {
    podRef: { name, namespace, uid },
    startTime: timeText(pod.startMs),
    containers: pod.containers.map((container) => containerOf(container, uid, rates, short)),
    cpu: cpu(uid, pod.cpuNanos, timeMs, rates),
    memory: {
      time: timeText(timeMs),
      usageBytes: pod.usageBytes,
      workingSetBytes: pod.workingSetBytes,
      rssBytes: pod.rssBytes,
      pageFaults: 0,
      majorPageFaults: 0,
    },
    ...(!short && {
      ...(machine.nodefs && { 'ephemeral-storage': { ...filesystem(machine.nodefs, timeMs), usedBytes } }),
      ...(pod.pids !== undefined && { process_stats: { process_count: pod.pids } }),
    }),
  }
}

function containerOf(
  { name, startMs, timeMs, cpuNanos, memory, rootfs }: ContainerUsage,
  uid: string,
  rates: Rates,
  short: boolean,
): object {
  return {
    name,
    startTime: timeText(startMs),
    ...(cpuNanos !== undefined && { cpu: cpu(`${uid}/${name}`, cpuNanos, timeMs, rates) }),
    ...(memory && { memory: { time: timeText(timeMs), ...memory } }),
    ...(!short && rootfs && { rootfs: { time: timeText(timeMs), ...rootfs } }),
  }
}

function cpu(key: string, nanos: number, timeMs: number, rates: Rates): object {
  const usageNanoCores = rates.of(key, nanos, timeMs)
  return {
    time: timeText(timeMs),
    ...(usageNanoCores !== undefined && { usageNanoCores }),
    usageCoreNanoSeconds: nanos,
  }
}

const filesystem = ({ availableBytes, capacityBytes, inodes, inodesFree }: FilesystemUsage, timeMs: number) => ({
  time: timeText(timeMs),
  availableBytes,
  capacityBytes,
  usedBytes: capacityBytes - availableBytes,
  inodesFree,
  inodes,
  inodesUsed: inodes - inodesFree,
})

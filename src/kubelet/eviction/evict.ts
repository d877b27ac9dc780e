import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ContainerStats } from '../../runtime/cri/generated/cri.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { podUidLabel } from '../runtime-state/labels.ts'
import { readDiskUse, sum, type PodDiskUse } from '../stats/disk-use.ts'
import { evictionMessage } from './eviction-message.ts'
import type { Shortage } from './node-pressure.ts'
import { rankForEviction, type Candidate } from './rank.ts'

/** Frees what is short: images first where it is the disk, then one pod. */
export async function relieve(
  parts: KubeletParts,
  short: readonly Shortage[],
  freeImages: (bytes: number) => Promise<number>,
): Promise<void> {
  const [first] = [...short].sort((a, b) => order(a) - order(b))
  if (!first) return
  const { recorder, nodeName } = parts.options
  recorder.event(
    { reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } },
    'Warning',
    'EvictionThresholdMet',
    `Attempting to reclaim ${first.resource}`,
  )
  // How many inodes an image holds is not known: all that nobody uses go.
  const missing = first.resource === 'inodes' ? Infinity : first.threshold - first.available
  if (first.condition === 'disk' && (await freeImages(missing)) > 0) return
  const [victim] = rankForEviction(await candidates(parts, first), first.resource)
  if (!victim) return
  const { pod, usedBy } = victim
  const grace = Math.min(
    parts.options.settings.evictionMaxPodGraceSeconds,
    pod.spec?.terminationGracePeriodSeconds ?? Infinity,
  )
  evictPod(parts, pod, {
    signal: first.signal,
    message: evictionMessage(first, pod, usedBy),
    graceSeconds: first.soft ? grace : 1,
  })
}

/** Memory is what kills fastest. */
const order = ({ condition }: Shortage) => ({ memory: 0, pids: 1, disk: 2 })[condition]

/** Every pod with what it uses of what is short. */
async function candidates(parts: KubeletParts, short: Shortage): Promise<Measured[]> {
  const { host, runtime } = parts.options
  const all = Map.groupBy(await runtime.containerStats(), ({ attributes }) => attributes?.labels[podUidLabel] ?? '')
  return Promise.all(
    parts.pods.evictable().map(async (pod): Promise<Measured> => {
      const uid = pod.metadata.uid ?? ''
      const stats = all.get(uid) ?? []
      if (short.condition === 'disk') {
        const use = await readDiskUse(pod, { files: host.files, volumes: parts.volumes, stats })
        return { pod, ...diskUsed(use, short) }
      }
      const usage = await host.cgroups.podUsage(uid)
      return short.condition === 'memory'
        ? { pod, used: usage?.workingSetBytes ?? 0, usedBy: memoryUsed(stats) }
        : { pod, used: usage?.pids ?? 0, usedBy: new Map() }
    }),
  )
}

interface Measured extends Candidate {
  /** By container: what the message tells of. */
  readonly usedBy: ReadonlyMap<string, number>
}

const memoryUsed = (stats: readonly ContainerStats[]) =>
  new Map(
    stats.map(({ attributes, memory }) => [attributes?.metadata?.name ?? '', memory?.workingSetBytes?.value ?? 0]),
  )

/** Only what lies on the disk that is short: layers lie with the images. */
function diskUsed({ layers, logs, volumes }: PodDiskUse, { signal, resource, separateImagefs }: Shortage) {
  const onImagefs = !separateImagefs || signal.startsWith('imagefs.')
  const onNodefs = !separateImagefs || signal.startsWith('nodefs.')
  const { bytes, inodes } = sum([
    ...(onImagefs ? layers.values() : []),
    ...(onNodefs ? [...logs.values(), ...volumes.values()] : []),
  ])
  const usedBy = new Map<string, number>()
  if (resource === 'ephemeral-storage')
    for (const [name, { bytes: log }] of logs) usedBy.set(name, log + (layers.get(name)?.bytes ?? 0))
  return { used: resource === 'inodes' ? inodes : bytes, usedBy }
}

/** Why and how a pod is evicted. */
export interface Eviction {
  /** 'memory.available', 'emptydirfs.limit': what the metric counts by. */
  readonly signal: string
  readonly message: string
  readonly graceSeconds: number
}

/** Ends a pod for the node's sake; it has failed, and says why. */
export function evictPod(parts: KubeletParts, pod: Frozen<Pod>, { signal, message, graceSeconds }: Eviction): void {
  parts.options.metrics
    .counter('kubelet_evictions', 'Cumulative number of pod evictions by eviction signal')
    .add({ eviction_signal: signal })
  parts.services.events.pod(pod, 'Warning', 'Evicted', message)
  parts.pods.terminate(pod.metadata.uid ?? '', {
    graceSeconds,
    failure: { reason: 'Evicted', message, disruption: 'TerminationByKubelet' },
  })
}

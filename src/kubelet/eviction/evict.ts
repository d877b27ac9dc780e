import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { amountOf } from '../pod/amount.ts'
import { containerNameLabel, podUidLabel } from '../runtime-state/labels.ts'
import { rankForEviction, type Candidate } from './rank.ts'
import type { Shortage } from './node-pressure.ts'

/** Frees what is short: images first where it is the disk, then one pod. */
export async function relieve(
  parts: KubeletParts,
  short: readonly Shortage[],
  freeImages: (bytes: number) => Promise<number>,
): Promise<void> {
  const [first] = [...short].sort((a, b) => order(a) - order(b))
  if (!first) return
  const { options, pods } = parts
  const { recorder, nodeName, host } = options
  recorder.event(
    { reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } },
    'Warning',
    'EvictionThresholdMet',
    `Attempting to reclaim ${first.resource}`,
  )
  if (first.condition === 'disk' && (await freeImages(first.threshold - first.available)) > 0) return
  const candidates: Candidate[] = await Promise.all(
    pods.active().map(async (pod) => {
      const usage = await host.cgroups.podUsage(pod.metadata.uid ?? '')
      return {
        pod,
        used:
          first.resource === 'memory'
            ? (usage?.workingSetBytes ?? 0)
            : first.resource === 'pids'
              ? (usage?.pids ?? 0)
              : 0,
      }
    }),
  )
  const [victim] = rankForEviction(candidates, first.resource)
  if (!victim) return
  const quantity =
    first.resource === 'memory' || first.resource === 'ephemeral-storage'
      ? (bytes: number) => `${Math.floor(bytes / 1024)}Ki`
      : String
  const message = `The node was low on resource: ${first.resource}. Threshold quantity: ${quantity(first.threshold)}, available: ${quantity(first.available)}. `
  evictPod(parts, victim.pod, { message, graceSeconds: first.soft ? options.settings.evictionMaxPodGraceSeconds : 1 })
}

/** Memory is what kills fastest. */
const order = ({ condition }: Shortage) => ({ memory: 0, pids: 1, disk: 2 })[condition]

/** Ends a pod for the node's sake; it has failed, and says why. */
export function evictPod(
  parts: KubeletParts,
  pod: Frozen<Pod>,
  { message, graceSeconds }: { readonly message: string; readonly graceSeconds: number },
): void {
  parts.services.events.pod(pod, 'Warning', 'Evicted', message)
  parts.pods.terminate(pod.metadata.uid ?? '', {
    graceSeconds,
    failure: { reason: 'Evicted', message, disruption: 'TerminationByKubelet' },
  })
}

/** Pods that use more of the node's disk than they may: an emptyDir above its limit, a container's files and logs above theirs. */
export async function evictGreedy(parts: KubeletParts): Promise<void> {
  for (const pod of parts.pods.active()) {
    const message = (await greedyVolume(parts, pod)) ?? (await greedyContainer(parts, pod))
    if (message) evictPod(parts, pod, { message, graceSeconds: 1 })
  }
}

async function greedyVolume(parts: KubeletParts, pod: Frozen<Pod>): Promise<string | undefined> {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const most = amountOf(emptyDir?.sizeLimit)
    const path =
      most > 0 && emptyDir?.medium !== 'Memory'
        ? parts.volumes.mounted(pod.metadata.uid ?? '').get(name)?.hostPath
        : undefined
    if (path && (await parts.options.host.files.diskUsage(path)) > most)
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir!.sizeLimit}". `
  }
  return undefined
}

async function greedyContainer(parts: KubeletParts, pod: Frozen<Pod>): Promise<string | undefined> {
  const { host, runtime } = parts.options
  for (const { name, resources } of pod.spec?.containers ?? []) {
    const limit = resources?.limits?.['ephemeral-storage']
    const running = limit
      ? parts.state
          .known(pod.metadata.uid ?? '')
          ?.containers.find((container) => container.name === name && container.phase === 'running')
      : undefined
    if (!limit || !running) continue
    const [stats] = await runtime.containerStats({
      labels: { [podUidLabel]: pod.metadata.uid ?? '', [containerNameLabel]: name },
    })
    const used =
      (stats?.writableLayer?.usedBytes?.value ?? 0) +
      (await host.files.diskUsage(`${host.files.logFolder(pod)}/${name}`))
    if (used > amountOf(limit)) return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `
  }
  return undefined
}

import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { amountOf } from '../pod/amount.ts'
import { rankForEviction, type Candidate } from './rank.ts'
import type { Shortage } from './node-pressure.ts'

/** Frees what is short: images first where it is the disk, then one pod. */
export async function relieve(parts: KubeletParts, short: readonly Shortage[], freeImages: (bytes: number) => Promise<number>): Promise<void> {
  const [first] = [...short].sort((a, b) => order(a) - order(b))
  if (!first) return
  const { options, pods } = parts
  const { recorder, nodeName, host } = options
  recorder.event({ reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } }, 'Warning', 'EvictionThresholdMet', `Attempting to reclaim ${first.resource}`)
  if (first.condition === 'disk' && (await freeImages(first.threshold - first.available)) > 0) return
  const candidates: Candidate[] = await Promise.all(
    pods.active().map(async (pod) => {
      const usage = await host.cgroups.podUsage(pod.metadata.uid ?? '')
      return { pod, used: first.resource === 'memory' ? (usage?.workingSetBytes ?? 0) : first.resource === 'pids' ? (usage?.pids ?? 0) : 0 }
    }),
  )
  const [victim] = rankForEviction(candidates, first.resource)
  if (!victim) return
  const quantity = first.resource === 'memory' || first.resource === 'ephemeral-storage' ? (bytes: number) => `${Math.floor(bytes / 1024)}Ki` : String
  const message = `The node was low on resource: ${first.resource}. Threshold quantity: ${quantity(first.threshold)}, available: ${quantity(first.available)}. `
  evictPod(parts, victim.pod, { message, graceSeconds: first.soft ? options.settings.evictionMaxPodGraceSeconds : 1 })
}

/** Memory is what kills fastest. */
const order = ({ condition }: Shortage) => ({ memory: 0, pids: 1, disk: 2 })[condition]

/** Ends a pod for the node's sake; it has failed, and says why. */
export function evictPod(parts: KubeletParts, pod: Frozen<Pod>, { message, graceSeconds }: { readonly message: string; readonly graceSeconds: number }): void {
  parts.services.events.pod(pod, 'Warning', 'Evicted', message)
  parts.pods.terminate(pod.metadata.uid ?? '', { graceSeconds, failure: { reason: 'Evicted', message, disruption: 'TerminationByKubelet' } })
}

/** Pods that use more of the node's disk than they may: an emptyDir above its limit, a container's logs and files above theirs. */
export async function evictGreedy(parts: KubeletParts): Promise<void> {
  for (const pod of parts.pods.active()) {
    const limited = (pod.spec?.volumes ?? []).filter(({ emptyDir }) => emptyDir?.sizeLimit && amountOf(emptyDir.sizeLimit) > 0 && emptyDir.medium !== 'Memory')
    for (const { name, emptyDir } of limited) {
      const path = parts.volumes.mounted(pod.metadata.uid ?? '').get(name)?.hostPath
      const used = path ? await parts.options.host.files.diskUsage(path) : 0
      if (used > amountOf(emptyDir!.sizeLimit)) evictPod(parts, pod, { message: `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir!.sizeLimit}". `, graceSeconds: 1 })
    }
  }
}

import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { MachineUsage } from '../host/host.ts'
import type { KubeletParts } from '../kubelet-parts.ts'
import { amountOf } from '../pod/amount.ts'
import { podAmounts } from '../pod/resources.ts'
import { podUidLabel } from '../runtime-state/labels.ts'
import { readDiskUse, sum, type PodDiskUse } from '../stats/disk-use.ts'
import { bytesText } from './eviction-message.ts'
import { evictPod, type Eviction } from './evict.ts'

const resource = 'ephemeral-storage'

/** Ends pods that use more of the node's disk than they may; tells whether there were any. */
export async function evictGreedy(parts: KubeletParts): Promise<boolean> {
  const { host, runtime } = parts.options
  const bound = parts.pods.evictable().filter(isBound)
  if (bound.length === 0) return false
  const machine = await host.machine.usage()
  let any = false
  for (const pod of bound) {
    const stats = await runtime.containerStats({ labels: { [podUidLabel]: pod.metadata.uid ?? '' } })
    const found = greed(pod, await readDiskUse(pod, { files: host.files, volumes: parts.volumes, stats }), machine)
    if (!found) continue
    any = true
    evictPod(parts, pod, { ...found, graceSeconds: 1 })
  }
  return any
}

const limitOf = (name: string, pod: Frozen<Pod>) =>
  amountOf(pod.spec?.containers.find((container) => container.name === name)?.resources?.limits?.[resource])

/** Something of the pod has a limit on disk: all others need not be measured. */
const isBound = (pod: Frozen<Pod>): boolean =>
  podAmounts(pod, 'limits')[resource] !== undefined ||
  (pod.spec?.volumes ?? []).some(({ emptyDir }) => amountOf(emptyDir?.sizeLimit) > 0 && emptyDir?.medium !== 'Memory')

/** What the pod has too much of, in upstream's order and words: an emptyDir, all together, a container. Pure. */
function greed(
  pod: Frozen<Pod>,
  use: PodDiskUse,
  { separateImagefs }: MachineUsage,
): Pick<Eviction, 'signal' | 'message'> | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const most = amountOf(emptyDir?.sizeLimit)
    if (most > 0 && (use.volumes.get(name)?.bytes ?? 0) > most)
      return {
        signal: 'emptydirfs.limit',
        message: `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir!.sizeLimit}". `,
      }
  }
  const layers = separateImagefs ? new Map<string, never>() : use.layers
  const whole = podAmounts(pod, 'limits')[resource]
  const { bytes } = sum([...layers.values(), ...use.logs.values(), ...use.volumes.values()])
  if (whole !== undefined && bytes > whole)
    return {
      signal: 'ephemeralpodfs.limit',
      message: `Pod ephemeral local storage usage exceeds the total limit of containers ${bytesText(whole)}. `,
    }
  for (const [name, logs] of use.logs) {
    const most = limitOf(name, pod)
    if (most > 0 && logs.bytes + (layers.get(name)?.bytes ?? 0) > most) {
      const text = pod.spec?.containers.find((container) => container.name === name)?.resources?.limits?.[resource]
      return {
        signal: 'ephemeralcontainerfs.limit',
        message: `Container ${name} exceeded its local ephemeral storage limit "${text}". `,
      }
    }
  }
  return undefined
}

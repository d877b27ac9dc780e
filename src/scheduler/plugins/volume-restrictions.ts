import type { Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { definePlugin, Rejected, skip, unresolvable, unschedulable } from '../framework.ts'

interface State {
  /** Disks of the Pod that only one Pod of a node may use. */
  readonly disks: readonly Frozen<Volume>[]
  /** Its claims that one Pod at a time may use (ReadWriteOncePod), and how many of them are in use. */
  readonly exclusive: ReadonlySet<string>
  readonly inUse: number
}

const diskConflict = { ...unschedulable('node(s) had no available disk'), plugin: 'VolumeRestrictions' }
const claimConflict = {
  ...unschedulable(
    'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
  ),
  plugin: 'VolumeRestrictions',
}

/** Volumes that not every two Pods may share: network disks on one node, claims of one Pod at a time. */
export const volumeRestrictions = definePlugin<State, undefined>({
  name: 'VolumeRestrictions',
  events: (
    ['AssignedPod/Delete', 'Node/Add', 'PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'] as const
  ).map((on) => ({ on })),
  preFilter({ pod }, { listers, cache }) {
    const volumes = pod.spec?.volumes ?? []
    if (volumes.length === 0) return skip
    const disks = volumes.filter((v) => v.gcePersistentDisk ?? v.awsElasticBlockStore ?? v.rbd ?? v.iscsi)
    const exclusive = new Set<string>()
    for (const { persistentVolumeClaim } of volumes) {
      if (!persistentVolumeClaim) continue
      const claim = listers.persistentVolumeClaims.get({
        namespace: pod.metadata.namespace,
        name: persistentVolumeClaim.claimName,
      })
      if (!claim)
        return new Rejected(unresolvable(`persistentvolumeclaim "${persistentVolumeClaim.claimName}" not found`))
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) exclusive.add(persistentVolumeClaim.claimName)
    }
    const inUse = exclusive.size === 0 ? 0 : usersOf(exclusive, pod, cache.nodes)
    return disks.length === 0 && inUse === 0 ? skip : { disks, exclusive, inUse }
  },
  filter({ disks, inUse }, { pods }) {
    if (disks.length > 0)
      for (const { pod: other } of pods.values())
        for (const disk of disks) if (other.spec?.volumes?.some((theirs) => collide(disk, theirs))) return diskConflict
    return inUse > 0 ? claimConflict : undefined
  },
  changed: (state, { other, sign }, { pod }) => ({
    ...state,
    inUse: state.inUse + sign * uses(other.pod, pod, state.exclusive),
  }),
})

/** How many of these claims of a Pod's namespace another Pod uses. */
const uses = (other: Frozen<Pod>, pod: Frozen<Pod>, claims: ReadonlySet<string>): number =>
  other.metadata.namespace !== pod.metadata.namespace
    ? 0
    : (other.spec?.volumes ?? []).filter(
        ({ persistentVolumeClaim }) => persistentVolumeClaim && claims.has(persistentVolumeClaim.claimName),
      ).length

function usersOf(claims: ReadonlySet<string>, pod: Frozen<Pod>, nodes: readonly NodeInfo[]): number {
  let count = 0
  for (const node of nodes) for (const { pod: other } of node.pods.values()) count += uses(other, pod, claims)
  return count
}

/** Whether two volumes are one disk that both may not use: shared reading is fine, except of EBS. */
function collide(a: Frozen<Volume>, b: Frozen<Volume>): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk)
    return (
      a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName &&
      !(a.gcePersistentDisk.readOnly && b.gcePersistentDisk.readOnly)
    )
  if (a.awsElasticBlockStore && b.awsElasticBlockStore)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly)
  const [x, y] = [a.rbd, b.rbd]
  if (!x || !y) return false
  return (
    (x.pool ?? 'rbd') === (y.pool ?? 'rbd') &&
    x.image === y.image &&
    x.monitors.some((monitor) => y.monitors.includes(monitor)) &&
    !(x.readOnly && y.readOnly)
  )
}

import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { definePlugin, skip, unresolvable, unschedulable } from '../framework.ts'
import type { SchedulerListers } from '../listers.ts'
import { classOf } from '../../api/core/claim-binding.ts'
import { claimsUsedBy } from '../volumes/claims.ts'

const tooMany = { ...unschedulable('node(s) exceed max volume count'), plugin: 'NodeVolumeLimits' }

/** A node takes no more volumes of a CSI driver than its CSINode allows. */
export const nodeVolumeLimits = definePlugin<true, undefined>({
  name: 'NodeVolumeLimits',
  events: (
    [
      'CSINode/Add',
      'CSINode/Update',
      'AssignedPod/Delete',
      'PersistentVolumeClaim/Add',
      'VolumeAttachment/Delete',
    ] as const
  ).map((on) => ({ on })),
  preFilter: ({ pod }) => (claimsUsedBy(pod).length > 0 ? true : skip),
  filter(_, node, { pod }, { listers }) {
    const missing = claimsUsedBy(pod).find(
      ({ name }) => !listers.persistentVolumeClaims.get({ namespace: pod.metadata.namespace, name }),
    )
    if (missing)
      return unresolvable(
        `looking up PVC ${pod.metadata.namespace}/${missing.name}: persistentvolumeclaim "${missing.name}" not found`,
      )
    const limits = new Map(
      (listers.csiNodes.get({ name: node.name })?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
        allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
      ),
    )
    const wanted = volumesOf(pod, listers)
    if (wanted.size === 0 || limits.size === 0) return undefined
    const there = new Map<string, string>()
    for (const { pod: other } of node.pods.values())
      for (const [id, driver] of volumesOf(other, listers)) there.set(id, driver)
    for (const [id, driver] of attached(node.name, listers)) there.set(id, driver)
    for (const [driver, most] of limits) {
      const more = [...wanted].filter(([id, of]) => of === driver && !there.has(id)).length
      if (more > 0 && [...there.values()].filter((of) => of === driver).length + more > most) return tooMany
    }
    return undefined
  },
})

/** The CSI volumes of a Pod: driver by an id that is the same for the same volume. */
function volumesOf(pod: Frozen<Pod>, listers: SchedulerListers): Map<string, string> {
  const volumes = new Map<string, string>()
  const { namespace } = pod.metadata
  for (const { name } of claimsUsedBy(pod)) {
    const claim = listers.persistentVolumeClaims.get({ namespace, name })
    if (!claim) continue
    const volume = claim.spec?.volumeName ? listers.persistentVolumes.get({ name: claim.spec.volumeName }) : undefined
    if (volume) {
      const csi = volume.spec?.csi
      if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
      continue
    }
    // Not there yet: it will be one of the class's driver.
    const driver = listers.storageClasses.get({ name: classOf(claim) })?.provisioner
    if (driver) volumes.set(`${driver}/claim ${namespace}/${name}`, driver)
  }
  return volumes
}

/** CSI volumes that are attached to a node, whichever Pod they are for. */
function attached(node: string, { volumeAttachments, persistentVolumes }: SchedulerListers): [string, string][] {
  volumeAttachments.index('node', ({ spec }) => [spec.nodeName])
  return volumeAttachments.by('node', node).flatMap(({ spec }): [string, string][] => {
    const csi = spec.source.persistentVolumeName
      ? persistentVolumes.get({ name: spec.source.persistentVolumeName })?.spec?.csi
      : undefined
    return csi ? [[`${csi.driver}/${csi.volumeHandle}`, csi.driver]] : []
  })
}

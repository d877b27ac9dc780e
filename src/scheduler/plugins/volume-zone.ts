import { definePlugin, Rejected, skip, unresolvable } from '../framework.ts'
import { classOf } from '../../api/core/claim-binding.ts'
import { claimsUsedBy } from '../volumes/claims.ts'

/** A label of a volume that its node must have too. */
interface Requirement {
  readonly key: string
  readonly values: ReadonlySet<string>
}

/** Labels that say where something is, the old names with the new ones. */
const newNames: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
}
const keys = [...Object.keys(newNames), ...Object.values(newNames)]
const conflict = { ...unresolvable('node(s) had no available volume zone'), plugin: 'VolumeZone' }

/** A Pod goes only to the zone and region that its bound volumes are labelled with. */
export const volumeZone = definePlugin<readonly Requirement[], undefined>({
  name: 'VolumeZone',
  events: (
    [
      'StorageClass/Add',
      'Node/Add',
      'Node/Update',
      'PersistentVolumeClaim/Add',
      'PersistentVolumeClaim/Update',
      'PersistentVolume/Add',
      'PersistentVolume/Update',
    ] as const
  ).map((on) => ({ on })),
  preFilter({ pod }, { listers }) {
    const requirements: Requirement[] = []
    for (const { name } of claimsUsedBy(pod)) {
      const claim = listers.persistentVolumeClaims.get({ namespace: pod.metadata.namespace, name })
      if (!claim) return new Rejected(unresolvable(`persistentvolumeclaim "${name}" not found`))
      const volumeName = claim.spec?.volumeName
      if (!volumeName) {
        const className = classOf(claim)
        if (className === '')
          return new Rejected(unresolvable('PersistentVolumeClaim had no pv name and storageClass name'))
        const storageClass = listers.storageClasses.get({ name: className })
        if (!storageClass) return new Rejected(unresolvable(`storageclass.storage.k8s.io "${className}" not found`))
        if (storageClass.volumeBindingMode !== 'WaitForFirstConsumer')
          return new Rejected(unresolvable('PersistentVolume had no name'))
        continue
      }
      const volume = listers.persistentVolumes.get({ name: volumeName })
      if (!volume) return new Rejected(unresolvable(`persistentvolume "${volumeName}" not found`))
      for (const key of keys) {
        const value = volume.metadata.labels?.[key]
        if (value !== undefined) requirements.push({ key, values: new Set(value.split('__')) })
      }
    }
    return requirements.length === 0 ? skip : requirements
  },
  filter(requirements, { labels }) {
    // A node that says nothing about where it is: a cluster of one zone.
    if (!keys.some((key) => key in labels)) return undefined
    return requirements.every(({ key, values }) => values.has(labels[key] ?? labels[newNames[key] ?? ''] ?? ''))
      ? undefined
      : conflict
  },
})

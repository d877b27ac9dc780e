import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  services,
  statefulSets,
  storageClasses,
  volumeAttachments,
} from '../api/generated/resources.ts'
import type { Informers } from '../client/informer/informers.ts'

/** The informers that scheduling looks into. */
export type SchedulerListers = ReturnType<typeof schedulerListers>

/** Starts (or shares) the informers that scheduling needs. */
export function schedulerListers(informers: Pick<Informers, 'of'>) {
  return {
    pods: informers.of(pods),
    nodes: informers.of(nodes),
    namespaces: informers.of(namespaces),
    services: informers.of(services),
    replicaSets: informers.of(replicaSets),
    statefulSets: informers.of(statefulSets),
    replicationControllers: informers.of(replicationControllers),
    podDisruptionBudgets: informers.of(podDisruptionBudgets),
    persistentVolumeClaims: informers.of(persistentVolumeClaims),
    persistentVolumes: informers.of(persistentVolumes),
    storageClasses: informers.of(storageClasses),
    csiNodes: informers.of(csiNodes),
    csiDrivers: informers.of(csiDrivers),
    csiStorageCapacities: informers.of(csiStorageCapacities),
    volumeAttachments: informers.of(volumeAttachments),
  }
}

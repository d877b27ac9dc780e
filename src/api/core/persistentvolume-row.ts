import type { PersistentVolume } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { accessModesCell, age, name } from '../table-format/cells.ts'

/** Where the class stood before it had a field. */
const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** What `kubectl get persistentvolumes` shows. */
export function persistentVolumeRow(volume: Frozen<PersistentVolume>, nowMs: number): Cell[] {
  const { metadata, spec, status } = volume
  return [
    name(volume),
    spec?.capacity?.['storage'] ?? '0',
    accessModesCell(spec?.accessModes),
    spec?.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
    metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
    spec?.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    age(volume, nowMs),
    spec?.volumeMode ?? '<unset>',
  ]
}

import type { PersistentVolume } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { accessModesCell, age, name } from '../table-format/cells.ts'
import { classOf } from './claim-binding.ts'

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
    classOf(volume),
    spec?.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    age(volume, nowMs),
    spec?.volumeMode ?? '<unset>',
  ]
}

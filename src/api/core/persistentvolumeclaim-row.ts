import type { PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { accessModesCell, age, name } from '../table-format/cells.ts'
import { classOf } from './claim-binding.ts'

/** What `kubectl get persistentvolumeclaims` shows. */
export function persistentVolumeClaimRow(claim: Frozen<PersistentVolumeClaim>, nowMs: number): Cell[] {
  const { metadata, spec, status } = claim
  const bound = Boolean(spec?.volumeName)
  return [
    name(claim),
    metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    spec?.volumeName ?? '',
    bound ? (status?.capacity?.['storage'] ?? '0') : '',
    bound ? accessModesCell(status?.accessModes) : '',
    classOf(claim),
    spec?.volumeAttributesClassName ?? '<unset>',
    age(claim, nowMs),
    spec?.volumeMode ?? '<unset>',
  ]
}

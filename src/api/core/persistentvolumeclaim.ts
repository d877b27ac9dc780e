import { persistentVolumeClaims } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { persistentVolumeClaimRow } from './persistentvolumeclaim-row.ts'

/** What a PersistentVolumeClaim does. */
export const persistentVolumeClaimDefinition = defineKind(persistentVolumeClaims, {
  row: persistentVolumeClaimRow,
  status: true,
  generation: false,
})

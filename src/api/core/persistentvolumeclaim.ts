import { persistentVolumeClaims } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PersistentVolumeClaim does. */
export const persistentVolumeClaimDefinition = defineKind(persistentVolumeClaims, {
  status: true,
  generation: false,
})

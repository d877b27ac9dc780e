import { persistentVolumes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PersistentVolume does. */
export const persistentVolumeDefinition = defineKind(persistentVolumes, {
  status: true,
  generation: false,
})

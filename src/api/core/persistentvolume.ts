import { persistentVolumes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { persistentVolumeRow } from './persistentvolume-row.ts'

/** What a PersistentVolume does. */
export const persistentVolumeDefinition = defineKind(persistentVolumes, {
  row: persistentVolumeRow,
  status: true,
  generation: false,
})

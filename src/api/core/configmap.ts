import { configMaps } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { configMapRow } from './configmap-row.ts'

/** What a ConfigMap does. */
export const configMapDefinition = defineKind(configMaps, {
  row: configMapRow,
  generation: false,
})

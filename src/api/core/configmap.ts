import { configMaps } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ConfigMap does. */
export const configMapDefinition = defineKind(configMaps, {
  generation: false,
})

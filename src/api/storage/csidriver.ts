import { csiDrivers } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CSIDriver does. */
export const csiDriverDefinition = defineKind(csiDrivers, {
  generation: false,
  unconditionalUpdate: false,
})

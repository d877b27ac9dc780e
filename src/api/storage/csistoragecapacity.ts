import { csiStorageCapacities } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CSIStorageCapacity does. */
export const csiStorageCapacityDefinition = defineKind(csiStorageCapacities, {
  generation: false,
  unconditionalUpdate: false,
})

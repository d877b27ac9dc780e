import { componentStatuses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ComponentStatus does. */
export const componentStatusDefinition = defineKind(componentStatuses, {
  generation: false,
})

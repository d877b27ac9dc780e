import { priorityLevelConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PriorityLevelConfiguration does. */
export const priorityLevelConfigurationDefinition = defineKind(priorityLevelConfigurations, {
  status: true,
})

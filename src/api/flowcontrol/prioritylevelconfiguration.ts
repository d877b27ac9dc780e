import { priorityLevelConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { priorityLevelConfigurationRow } from './prioritylevelconfiguration-row.ts'

/** What a PriorityLevelConfiguration does. */
export const priorityLevelConfigurationDefinition = defineKind(priorityLevelConfigurations, {
  row: priorityLevelConfigurationRow,
  status: true,
})

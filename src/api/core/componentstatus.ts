import { componentStatuses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { componentStatusRow } from './componentstatus-row.ts'

/** What a ComponentStatus does. */
export const componentStatusDefinition = defineKind(componentStatuses, {
  row: componentStatusRow,
  generation: false,
})

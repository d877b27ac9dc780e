import { priorityClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { priorityClassRow } from './priorityclass-row.ts'

/** What a PriorityClass does. */
export const priorityClassDefinition = defineKind(priorityClasses, {
  row: priorityClassRow,
  generation: () => false,
})

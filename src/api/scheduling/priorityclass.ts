import { priorityClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PriorityClass does. */
export const priorityClassDefinition = defineKind(priorityClasses, {
  generation: () => false,
})

import { runtimeClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a RuntimeClass does. */
export const runtimeClassDefinition = defineKind(runtimeClasses, {
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
})

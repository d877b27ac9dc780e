import { runtimeClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { runtimeClassRow } from './runtimeclass-row.ts'

/** What a RuntimeClass does. */
export const runtimeClassDefinition = defineKind(runtimeClasses, {
  row: runtimeClassRow,
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
})

import { bindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Binding does. */
export const bindingDefinition = defineKind(bindings, {
  generation: false,
})

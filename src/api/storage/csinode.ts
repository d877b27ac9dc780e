import { csiNodes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CSINode does. */
export const csiNodeDefinition = defineKind(csiNodes, {
  generation: false,
  unconditionalUpdate: false,
})

import { csiNodes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { csiNodeRow } from './csinode-row.ts'

/** What a CSINode does. */
export const csiNodeDefinition = defineKind(csiNodes, {
  row: csiNodeRow,
  generation: false,
  unconditionalUpdate: false,
})

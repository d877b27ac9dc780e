import { nodes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { nodeRow } from './node-row.ts'

/** What a Node does. */
export const nodeDefinition = defineKind(nodes, {
  row: nodeRow,
  status: true,
  keepsStatusOnCreate: true,
  generation: false,
  fields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
})

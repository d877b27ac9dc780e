import { nodes } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Node does. */
export const nodeDefinition = defineKind(nodes, {
  status: true,
  keepsStatusOnCreate: true,
  generation: false,
  fields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
})

import { flowSchemas } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { flowSchemaOrder, flowSchemaRow } from './flowschema-row.ts'

/** What a FlowSchema does. */
export const flowSchemaDefinition = defineKind(flowSchemas, {
  row: flowSchemaRow,
  rowOrder: flowSchemaOrder,
  status: true,
})

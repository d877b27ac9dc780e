import { flowSchemas } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a FlowSchema does. */
export const flowSchemaDefinition = defineKind(flowSchemas, {
  status: true,
})

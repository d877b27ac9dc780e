import { ensure } from '../draft.ts'
import { flowSchemas } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { keepMetadata } from '../status-metadata.ts'
import { checkFlowConditions } from './conditions.ts'
import { flowSchemaOrder, flowSchemaRow } from './flowschema-row.ts'
import { checkFlowSchema } from './flowschema-rules.ts'

const precedenceDefault = 1000

/** What a FlowSchema does. */
export const flowSchemaDefinition = defineKind(flowSchemas, {
  row: flowSchemaRow,
  rowOrder: flowSchemaOrder,
  status: true,
  metadata: { onUpdate: 'object' },
  defaults(schema) {
    const spec = ensure(schema, 'spec')
    spec.matchingPrecedence ||= precedenceDefault
  },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate: checkFlowSchema,
  validateUpdate(schema, _old, errors, { subresource }) {
    if (subresource === 'status') checkFlowConditions(schema.status?.conditions, errors)
    else checkFlowSchema(schema, errors)
  },
})

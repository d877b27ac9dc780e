import { customResourceDefinitions } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a CustomResourceDefinition does. */
export const customResourceDefinitionDefinition = defineKind(customResourceDefinitions, {
  status: true,
  unconditionalUpdate: false,
})

import { resourceClaimTemplates } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ResourceClaimTemplate does. */
export const resourceClaimTemplateDefinition = defineKind(resourceClaimTemplates, {
  generation: false,
})

import { resourceClaimTemplates } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { resourceClaimTemplateRow } from './resourceclaimtemplate-row.ts'

/** What a ResourceClaimTemplate does. */
export const resourceClaimTemplateDefinition = defineKind(resourceClaimTemplates, {
  row: resourceClaimTemplateRow,
  generation: false,
})

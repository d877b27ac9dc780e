import { resourceQuotas } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ResourceQuota does. */
export const resourceQuotaDefinition = defineKind(resourceQuotas, {
  status: true,
  generation: false,
})

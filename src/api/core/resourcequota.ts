import { resourceQuotas } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { resourceQuotaRow } from './resourcequota-row.ts'

/** What a ResourceQuota does. */
export const resourceQuotaDefinition = defineKind(resourceQuotas, {
  row: resourceQuotaRow,
  status: true,
  generation: false,
})

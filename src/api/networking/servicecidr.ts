import { serviceCIDRs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { serviceCIDRRow } from './servicecidr-row.ts'

/** What a ServiceCIDR does. */
export const serviceCIDRDefinition = defineKind(serviceCIDRs, {
  row: serviceCIDRRow,
  status: true,
  generation: false,
})

import { serviceCIDRs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ServiceCIDR does. */
export const serviceCIDRDefinition = defineKind(serviceCIDRs, {
  status: true,
  generation: false,
})

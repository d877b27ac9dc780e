import { leases } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Lease does. */
export const leaseDefinition = defineKind(leases, {
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
})

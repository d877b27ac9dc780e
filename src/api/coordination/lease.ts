import { leases } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { leaseRow } from './lease-row.ts'

/** What a Lease does. */
export const leaseDefinition = defineKind(leases, {
  row: leaseRow,
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
})

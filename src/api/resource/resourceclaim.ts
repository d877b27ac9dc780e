import { resourceClaims } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { resourceClaimRow } from './resourceclaim-row.ts'

/** What a ResourceClaim does. */
export const resourceClaimDefinition = defineKind(resourceClaims, {
  row: resourceClaimRow,
  status: true,
  generation: false,
})

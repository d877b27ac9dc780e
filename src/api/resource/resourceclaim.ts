import { resourceClaims } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ResourceClaim does. */
export const resourceClaimDefinition = defineKind(resourceClaims, {
  status: true,
  generation: false,
})

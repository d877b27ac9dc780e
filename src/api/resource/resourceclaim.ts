import { resourceClaims } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { keepMetadata } from '../status-metadata.ts'
import { checkImmutable } from '../validation/check.ts'
import { field } from '../validation/field.ts'
import { checkAdminRequests, checkAdminResults } from './admin-access.ts'
import { checkClaimSpec, defaultClaim, dropDisabledRequests } from './claim-spec.ts'
import { checkClaimStatus, dropFromStatus } from './claim-status.ts'
import { resourceClaimRow } from './resourceclaim-row.ts'

/** What a ResourceClaim does. */
export const resourceClaimDefinition = defineKind(resourceClaims, {
  row: resourceClaimRow,
  status: true,
  generation: false,
  metadata: { onUpdate: 'both' },
  defaults: ({ spec }) => spec && defaultClaim(spec),
  prepareCreate: ({ spec }) => dropDisabledRequests(spec),
  prepareUpdate({ metadata, spec, status }, old, { subresource }) {
    if (subresource !== 'status') return dropDisabledRequests(spec, old.spec)
    keepMetadata(metadata, old.metadata)
    dropFromStatus(status, old.status)
  },
  validate({ metadata, spec }, errors, context) {
    checkAdminRequests(spec.devices?.requests, metadata.namespace ?? '', errors, context)
    checkClaimSpec(spec, field('spec'), errors)
  },
  validateUpdate(claim, old, errors, context) {
    if (context.subresource !== 'status') return checkImmutable(claim.spec, old.spec, field('spec'), errors)
    checkAdminResults(claim, old, errors, context)
    checkClaimStatus(claim, old, errors)
  },
})

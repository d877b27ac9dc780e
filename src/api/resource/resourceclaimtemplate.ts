import { checkTemplateMetadata } from '../core/persistentvolumeclaim-spec.ts'
import { resourceClaimTemplates } from '../generated/resources.ts'
import type { ResourceClaimTemplate } from '../generated/types/resource-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable } from '../validation/check.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkAdminRequests } from './admin-access.ts'
import { checkClaimSpec, defaultClaim, dropDisabledRequests } from './claim-spec.ts'
import { resourceClaimTemplateRow } from './resourceclaimtemplate-row.ts'

/** What a ResourceClaimTemplate does. */
export const resourceClaimTemplateDefinition = defineKind(resourceClaimTemplates, {
  row: resourceClaimTemplateRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  defaults: ({ spec }) => spec?.spec && defaultClaim(spec.spec),
  prepareCreate: ({ spec }) => dropDisabledRequests(spec?.spec),
  prepareUpdate: ({ spec }, old) => dropDisabledRequests(spec?.spec, old.spec?.spec),
  validate(template, errors, context) {
    checkAdminRequests(template.spec?.spec?.devices?.requests, template.metadata.namespace ?? '', errors, context)
    checkTemplate(template, errors)
  },
  validateUpdate(template, old, errors) {
    checkTemplate(template, errors)
    checkImmutable(template.spec, old.spec, field('spec'), errors)
  },
})

function checkTemplate({ spec }: Frozen<ResourceClaimTemplate>, errors: FieldErrors): void {
  checkTemplateMetadata(spec?.metadata, field('spec', 'metadata'), errors)
  checkClaimSpec(spec?.spec, field('spec', 'spec'), errors)
}

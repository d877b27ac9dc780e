import { ensure } from '../draft.ts'
import { validatingAdmissionPolicies } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { keepMetadata } from '../status-metadata.ts'
import { equal } from '../validation/equal.ts'
import { defaultMatchResources } from './match-resources.ts'
import { checkPolicy, checkPolicyStatus } from './policy-rules.ts'
import { validatingAdmissionPolicyRow } from './validatingadmissionpolicy-row.ts'

/** What a ValidatingAdmissionPolicy does. */
export const validatingAdmissionPolicyDefinition = defineKind(validatingAdmissionPolicies, {
  row: validatingAdmissionPolicyRow,
  status: true,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any', onUpdate: 'object' },
  defaults(policy) {
    const spec = ensure(policy, 'spec')
    spec.failurePolicy ??= 'Fail'
    defaultMatchResources(spec.matchConstraints)
  },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate: (policy, errors) => checkPolicy(policy, false, errors),
  validateUpdate(policy, old, errors, { subresource }) {
    if (subresource === 'status') return checkPolicyStatus(policy.status, errors)
    checkPolicy(
      policy,
      equal(policy.spec?.paramKind, old.spec?.paramKind) &&
        equal(policy.spec?.matchConditions, old.spec?.matchConditions),
      errors,
    )
  },
})

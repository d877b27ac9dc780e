import { validatingAdmissionPolicies } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ValidatingAdmissionPolicy does. */
export const validatingAdmissionPolicyDefinition = defineKind(validatingAdmissionPolicies, {
  status: true,
  unconditionalUpdate: false,
})

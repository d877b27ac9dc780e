import { validatingAdmissionPolicies } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicyRow } from './validatingadmissionpolicy-row.ts'

/** What a ValidatingAdmissionPolicy does. */
export const validatingAdmissionPolicyDefinition = defineKind(validatingAdmissionPolicies, {
  row: validatingAdmissionPolicyRow,
  status: true,
  unconditionalUpdate: false,
})

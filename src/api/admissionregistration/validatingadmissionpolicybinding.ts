import { validatingAdmissionPolicyBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ValidatingAdmissionPolicyBinding does. */
export const validatingAdmissionPolicyBindingDefinition = defineKind(validatingAdmissionPolicyBindings, {
  unconditionalUpdate: false,
})

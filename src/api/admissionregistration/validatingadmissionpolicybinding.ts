import { validatingAdmissionPolicyBindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicyBindingRow } from './validatingadmissionpolicybinding-row.ts'

/** What a ValidatingAdmissionPolicyBinding does. */
export const validatingAdmissionPolicyBindingDefinition = defineKind(validatingAdmissionPolicyBindings, {
  row: validatingAdmissionPolicyBindingRow,
  unconditionalUpdate: false,
})

import { validatingAdmissionPolicyBindings } from '../generated/resources.ts'
import type { ValidatingAdmissionPolicyBinding } from '../generated/types/admissionregistration-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkRequiredText } from '../validation/check.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { isSubdomain } from '../validation/names.ts'
import { checkMatchResources, checkParamRef, defaultMatchResources } from './match-resources.ts'
import { validatingAdmissionPolicyBindingRow } from './validatingadmissionpolicybinding-row.ts'

const actionsKnown = ['Audit', 'Deny', 'Warn']

/** What a ValidatingAdmissionPolicyBinding does. */
export const validatingAdmissionPolicyBindingDefinition = defineKind(validatingAdmissionPolicyBindings, {
  row: validatingAdmissionPolicyBindingRow,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any', onUpdate: 'object' },
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  validate: checkBinding,
  validateUpdate: (binding, _old, errors) => checkBinding(binding, errors),
})

function checkBinding({ spec }: Frozen<ValidatingAdmissionPolicyBinding>, errors: FieldErrors): void {
  const at = field('spec')
  checkRequiredText(isSubdomain, spec?.policyName, at.child('policyName'), errors)
  if (spec?.paramRef) checkParamRef(spec.paramRef, at.child('paramRef'), errors)
  checkMatchResources(spec?.matchResources, at.child('matchResources'), errors)
  checkActions(spec?.validationActions ?? [], errors)
}

function checkActions(actions: readonly string[], errors: FieldErrors): void {
  const at = field('spec', 'validationActions')
  actions.forEach((action, i) => {
    if (!actionsKnown.includes(action)) errors.notSupported(at.index(i), action, actionsKnown)
    if (actions.indexOf(action) < i) errors.duplicate(at.index(i), action)
  })
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.invalid(
      at,
      actions,
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    )
  }
  if (actions.length === 0) errors.required(at, 'at least one validation action is required')
}

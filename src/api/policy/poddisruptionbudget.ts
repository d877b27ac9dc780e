import { podDisruptionBudgets } from '../generated/resources.ts'
import type { PodDisruptionBudget } from '../generated/types/policy-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkConditions } from '../validation/conditions.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../validation/labels.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { checkAtMostAll, checkIntOrPercent, checkNotNegative } from '../validation/numbers.ts'
import { podDisruptionBudgetRow } from './poddisruptionbudget-row.ts'

const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget']

/** What a PodDisruptionBudget does. */
export const podDisruptionBudgetDefinition = defineKind(podDisruptionBudgets, {
  row: podDisruptionBudgetRow,
  status: true,
  unconditionalUpdate: false,
  nameErrors: pathSegmentErrors,
  metadata: { onUpdate: 'none' },
  validate: (budget, errors) => checkBudget(budget, false, errors),
  validateUpdate(budget, old, errors, { subresource }) {
    if (subresource === 'status') checkStatus(budget, errors)
    else checkBudget(budget, hasInvalidValues(old.spec?.selector), errors)
  },
})

function checkBudget({ spec = {} }: Frozen<PodDisruptionBudget>, anyValue: boolean, errors: FieldErrors): void {
  const at = field('spec')
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.invalid(at, spec, 'minAvailable and maxUnavailable cannot be both set')
  for (const name of ['minAvailable', 'maxUnavailable'] as const) {
    checkIntOrPercent(spec[name], at.child(name), errors)
    checkAtMostAll(spec[name], at.child(name), errors)
  }
  if (selector) checkLabelSelector(selector, at.child('selector'), errors, { anyValue })
  if (policy !== undefined && !evictionPolicies.includes(policy))
    errors.notSupported(at.child('unhealthyPodEvictionPolicy'), policy, evictionPolicies)
}

function checkStatus({ status }: Frozen<PodDisruptionBudget>, errors: FieldErrors): void {
  const at = field('status')
  checkConditions(status?.conditions, at.child('conditions'), errors)
  checkNotNegative(status, ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'], at, errors)
}

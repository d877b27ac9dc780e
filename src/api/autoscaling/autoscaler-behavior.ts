import type {
  HPAScalingPolicy,
  HPAScalingRules,
  HorizontalPodAutoscalerBehavior,
} from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { negativeText } from '../validation/names.ts'
import { isNegativeAmount } from '../validation/quantities.ts'

const periodSecondsMax = 1800
const stabilizationSecondsMax = 3600
const selectPolicies = ['Disabled', 'Max', 'Min']
const policyTypes = ['Percent', 'Pods']

/** How fast an autoscaler scales when its author says nothing else. */
const scaleUp = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
})
const scaleDown = (): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
})

/** Completes both directions as soon as there is a behaviour at all. */
export function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior): void {
  behavior.scaleUp = { ...scaleUp(), ...withoutNulls(behavior.scaleUp) }
  behavior.scaleDown = { ...scaleDown(), ...withoutNulls(behavior.scaleDown) }
}

/** An explicit null counts as absent. */
function withoutNulls(rules: HPAScalingRules | undefined): HPAScalingRules {
  return Object.fromEntries(Object.entries(rules ?? {}).filter(([, value]) => value !== undefined && value !== null))
}

/** The rules of an autoscaler's scaling behaviour. */
export function checkBehavior(
  behavior: Frozen<HorizontalPodAutoscalerBehavior>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (behavior.scaleUp) checkRules(behavior.scaleUp, at.child('scaleUp'), errors)
  if (behavior.scaleDown) checkRules(behavior.scaleDown, at.child('scaleDown'), errors)
}

function checkRules(
  { stabilizationWindowSeconds: window, selectPolicy, policies, tolerance }: Frozen<HPAScalingRules>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (window !== undefined && window < 0)
    errors.invalid(at.child('stabilizationWindowSeconds'), window, 'must be greater than or equal to zero')
  if (window !== undefined && window > stabilizationSecondsMax)
    errors.invalid(
      at.child('stabilizationWindowSeconds'),
      window,
      `must be less than or equal to ${stabilizationSecondsMax}`,
    )
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy))
    errors.notSupported(at.child('selectPolicy'), selectPolicy, selectPolicies)
  if (!policies?.length) errors.required(at.child('policies'), 'must specify at least one Policy')
  else policies.forEach((policy, i) => checkPolicy(policy, at.child('policies').index(i), errors))
  if (tolerance !== undefined && isNegativeAmount(tolerance))
    errors.invalid(at.child('tolerance'), tolerance, negativeText)
}

function checkPolicy(
  { type = '', value = 0, periodSeconds = 0 }: Frozen<HPAScalingPolicy>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!policyTypes.includes(type)) errors.notSupported(at.child('type'), type, policyTypes)
  if (value <= 0) errors.invalid(at.child('value'), value, 'must be greater than zero')
  if (periodSeconds <= 0) errors.invalid(at.child('periodSeconds'), periodSeconds, 'must be greater than zero')
  if (periodSeconds > periodSecondsMax)
    errors.invalid(at.child('periodSeconds'), periodSeconds, `must be less than or equal to ${periodSecondsMax}`)
}

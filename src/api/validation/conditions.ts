import type { Condition } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from './check.ts'
import type { FieldErrors, FieldPath } from './field.ts'
import { checkLabelName } from './labels.ts'
import { isConditionReason } from './names.ts'

const statuses = ['False', 'True', 'Unknown']
const reasonMax = 1024
const messageMax = 32 * 1024

/** The rules of the conditions that newer kinds have: one of a type, each complete. */
export function checkConditions(
  conditions: readonly Frozen<Condition>[] | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const types = new Set<string>()
  conditions?.forEach((condition, i) => {
    const path = at.index(i)
    if (types.has(condition.type)) errors.duplicate(path.child('type'), condition.type)
    types.add(condition.type)
    checkCondition(condition, path, errors)
  })
}

function checkCondition(
  { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason = '', message = '' }: Frozen<Condition>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkLabelName(type, at.child('type'), errors)
  if (!statuses.includes(status)) errors.notSupported(at.child('status'), status, statuses)
  if (observedGeneration < 0)
    errors.invalid(at.child('observedGeneration'), observedGeneration, 'must be greater than or equal to zero')
  if (!lastTransitionTime) errors.required(at.child('lastTransitionTime'), 'must be set')
  if (!reason) errors.required(at.child('reason'), 'must be set')
  else checkText(isConditionReason, reason, at.child('reason'), errors)
  if (reason.length > reasonMax) errors.tooLong(at.child('reason'), reasonMax)
  if (message.length > messageMax) errors.tooLong(at.child('message'), messageMax)
}

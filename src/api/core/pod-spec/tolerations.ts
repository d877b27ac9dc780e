import type { Taint, Toleration } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import { equal } from '../../validation/equal.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkLabelName } from '../../validation/labels.ts'
import { isLabelValue } from '../../validation/names.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Tolerations of taints. */
export function checkTolerations(
  tolerations: Frozen<Toleration[]> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  tolerations?.forEach((toleration, i) => checkToleration(toleration, at.index(i), errors))
}

function checkToleration(
  { key = '', operator = '', value = '', effect = '', tolerationSeconds }: Frozen<Toleration>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (key) checkLabelName(key, at.child('key'), errors)
  else if (operator !== 'Exists')
    errors.invalid(
      at.child('operator'),
      operator,
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    )
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    errors.invalid(at.child('effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
  if (operator === 'Equal' || operator === '') {
    const wrong = isLabelValue(value)
    if (wrong.length) errors.invalid(at.child('operator'), value, wrong.join(';'))
  } else if (operator === 'Exists') {
    if (value) errors.invalid(at.child('operator'), value, "value must be empty when `operator` is 'Exists'")
  } else
    errors.notSupported(
      at.child('operator'),
      operator,
      operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists'],
    )
  if (effect && !effects.includes(effect)) errors.notSupported(at.child('effect'), effect, effects)
}

/** On an update tolerations may only be added; how long one holds may change. */
export function checkOnlyAddedTolerations(
  tolerations: Frozen<Toleration[]> = [],
  old: Frozen<Toleration[]> = [],
  at: FieldPath,
  errors: FieldErrors,
): void {
  const kept = (before: Frozen<Toleration>) =>
    tolerations.some((now) => equal({ ...before, tolerationSeconds: now.tolerationSeconds }, now))
  if (!old.every(kept))
    return errors.forbidden(at, 'existing toleration can not be modified except its tolerationSeconds')
  checkTolerations(tolerations, at, errors)
}

/** Taints of a node: valid, and none twice. */
export function checkTaints(taints: Frozen<Taint[]> | undefined, at: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>()
  taints?.forEach(({ key = '', value = '', effect = '' }, i) => {
    const path = at.index(i)
    checkLabelName(key, path.child('key'), errors)
    const wrong = isLabelValue(value)
    if (wrong.length) errors.invalid(path.child('value'), value, wrong.join(';'))
    if (!effect) errors.required(path.child('effect'))
    else if (!effects.includes(effect)) errors.notSupported(path.child('effect'), effect, effects)
    const id = `${effect} ${key}`
    if (seen.has(id)) errors.duplicate(path, { key, value, effect })
    seen.add(id)
  })
}

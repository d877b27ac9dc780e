import type { MatchCondition } from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { checkExpression, type Expected } from './expressions.ts'

const conditionsMax = 64

/** The rules of conditions that a request must meet besides. */
export function checkMatchConditions(
  conditions: readonly Frozen<MatchCondition>[] | undefined,
  expected: Expected,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!conditions) return
  if (conditions.length > conditionsMax) errors.tooMany(at, conditions.length, conditionsMax)
  const names = new Set<string>()
  conditions.forEach(({ name = '', expression = '' }, i) => {
    const path = at.index(i)
    if (expression.trim()) checkExpression(expression.trim(), expected, path.child('expression'), errors)
    else errors.required(path.child('expression'))
    if (!name) return errors.required(path.child('name'))
    checkText(isQualifiedName, name, path.child('name'), errors)
    if (names.has(name)) errors.duplicate(path.child('name'), name)
    names.add(name)
  })
}

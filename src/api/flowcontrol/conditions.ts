import { type FieldErrors, field } from '../validation/field.ts'

/** Conditions of flow control: of each type one, and each has a type. */
export function checkFlowConditions(
  conditions: readonly { readonly type?: string }[] | undefined,
  errors: FieldErrors,
): void {
  const seen = new Set<string>()
  conditions?.forEach(({ type = '' }, i) => {
    const at = field('status', 'conditions').index(i).child('type')
    if (seen.has(type)) errors.duplicate(at, type)
    seen.add(type)
    if (!type) errors.required(at)
  })
}

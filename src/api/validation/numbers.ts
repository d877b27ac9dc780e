import type { IntOrString } from '../generated/types/meta-v1.ts'
import type { FieldErrors, FieldPath } from './field.ts'
import { isPercent, negativeText } from './names.ts'

/** Fields that may be absent or zero, but not negative. */
export function checkNotNegative<T extends object>(
  object: T | undefined,
  names: readonly (keyof T & string)[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!object) return
  for (const name of names) {
    const value: unknown = object[name]
    if (typeof value === 'number' && value < 0) errors.invalid(at.child(name), value, negativeText)
  }
}

/** A number of things or a share of them: `2` or `25%`. */
export function checkIntOrPercent(value: IntOrString | undefined, at: FieldPath, errors: FieldErrors): void {
  if (typeof value === 'string') for (const text of isPercent(value)) errors.invalid(at, value, text)
  else if ((value ?? 0) < 0) errors.invalid(at, value, negativeText)
}

/** The share in percent, where it is one. */
export const percentOf = (value: IntOrString | undefined): number | undefined =>
  typeof value === 'string' && isPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined

/** The number or the share's percent; 0 for what is neither. */
export const intOrPercent = (value: IntOrString | undefined): number =>
  percentOf(value) ?? (typeof value === 'number' ? value : Number.parseInt(value ?? '0', 10) || 0)

/** A share of at most everything. */
export function checkAtMostAll(value: IntOrString | undefined, at: FieldPath, errors: FieldErrors): void {
  if ((percentOf(value) ?? 0) > 100) errors.invalid(at, value, 'must not be greater than 100%')
}

/** A counter that only grows: controllers count hash collisions with it. */
export function checkNotDecremented(
  now: number | undefined,
  old: number | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (old !== undefined && (now ?? -1) < old) errors.invalid(at, now ?? 0, 'cannot be decremented')
}

import { checkRequiredText } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'

const countMax = 512
const bytesMax = 256 * 1024

/** The name of what makes volumes. */
export function checkProvisioner(provisioner: string | undefined, at: FieldPath, errors: FieldErrors): void {
  checkRequiredText((text) => isQualifiedName(text.toLowerCase()), provisioner, at, errors)
}

/** What is passed on to it. */
export function checkParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const keys = Object.keys(parameters ?? {})
  if (keys.length > countMax) return errors.tooLong(at, countMax)
  for (const key of keys) if (!key) errors.invalid(at, key, 'field can not be empty.')
  if (bytesOf(parameters ?? {}) > bytesMax) errors.tooLong(at, bytesMax)
}

/** The size of all keys and values. */
export const bytesOf = (texts: Readonly<Record<string, string>>): number =>
  Object.entries(texts).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

import type { Frozen } from '../resource.ts'
import { checkRequiredText, checkText, isPathSegment } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isSubdomain } from '../validation/names.ts'

/** The rules of a reference to any object nearby. */
export function checkLocalReference(
  { apiGroup, kind, name }: Frozen<{ apiGroup?: string; kind: string; name: string }>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (apiGroup !== undefined && apiGroup !== null) checkText(isSubdomain, apiGroup, at.child('apiGroup'), errors)
  checkRequiredText(isPathSegment, kind, at.child('kind'), errors)
  checkRequiredText(isPathSegment, name, at.child('name'), errors)
}

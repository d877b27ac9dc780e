import { equal } from './equal.ts'
import type { FieldErrors, FieldPath } from './field.ts'
import { immutableText, pathSegmentErrors } from './names.ts'

/** Says what a rule has against a text. */
export function checkText(
  rule: (text: string) => readonly string[],
  text: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  for (const problem of rule(text)) errors.invalid(at, text, problem)
}

/** The same for a text that must be there. */
export function checkRequiredText(
  rule: (text: string) => readonly string[],
  text: string | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (text) checkText(rule, text, at, errors)
  else errors.required(at)
}

/** What can be one part of a path. */
export const isPathSegment = (text: string): string[] => pathSegmentErrors(text, false)

/** A field that keeps the value that it was created with. */
export function checkImmutable(value: unknown, old: unknown, at: FieldPath, errors: FieldErrors): void {
  if (!equal(value, old)) errors.invalid(at, value ?? null, immutableText)
}

import type { FieldErrors, FieldPath } from '../../validation/field.ts'

/** A path without `..` as one of its parts. */
export function checkNoBacksteps(path: string, at: FieldPath, errors: FieldErrors): void {
  if (hasBacksteps(path)) errors.invalid(at, path, "must not contain '..'")
}

/** Whether a path contains '..' as an element. */
export const hasBacksteps = (path: string): boolean => path.includes('..') && path.split('/').includes('..')

/** A relative path that stays below where it starts. */
export function checkDescendingPath(path: string, at: FieldPath, errors: FieldErrors): void {
  if (path.startsWith('/')) errors.invalid(at, path, 'must be a relative path')
  checkNoBacksteps(path, at, errors)
}

/** A relative path whose first part does not begin with `..`, which the atomic writer of volumes uses for itself. */
export function checkLocalPath(path: string, at: FieldPath, errors: FieldErrors): void {
  checkDescendingPath(path, at, errors)
  if (path.startsWith('..') && !path.startsWith('../')) errors.invalid(at, path, "must not start with '..'")
}

/** A file's mode: 0 to 0777. */
export function checkFileMode(mode: number | undefined, at: FieldPath, errors: FieldErrors): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    errors.invalid(at, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}

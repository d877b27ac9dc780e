import type { CrossVersionObjectReference } from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { pathSegmentErrors } from '../validation/names.ts'

/** How strict the version of a reference is checked. */
export interface VersionRule {
  /** The core group will do. */
  readonly emptyGroup?: boolean
  /** Whatever it is: it was so before. */
  readonly any?: boolean
}

/** What is wrong with a reference's version. */
export function versionProblem(
  { apiVersion = '' }: Frozen<CrossVersionObjectReference>,
  rule: VersionRule,
): string | undefined {
  if (rule.any) return undefined
  const slashes = apiVersion.split('/').length - 1
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`
  const group = slashes === 1 ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return !rule.emptyGroup && group === '' ? 'apiVersion must specify API group' : undefined
}

/** The rules of a reference to something that scales or is measured. */
export function checkReference(
  reference: Frozen<CrossVersionObjectReference> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  rule: VersionRule,
): void {
  const { kind = '', name = '' } = reference ?? {}
  checkSegment(kind, at.child('kind'), '', errors)
  checkSegment(name, at.child('name'), '', errors)
  const problem = versionProblem(reference ?? { kind, name }, rule)
  if (problem) errors.invalid(at.child('apiVersion'), reference?.apiVersion ?? '', problem)
}

/** Required text that must fit into a path. */
export function checkSegment(text: string, at: FieldPath, missing: string, errors: FieldErrors): void {
  if (!text) errors.required(at, missing)
  else for (const problem of pathSegmentErrors(text, false)) errors.invalid(at, text, problem)
}

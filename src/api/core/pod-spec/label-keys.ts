import type { LabelSelector } from '../../generated/types/meta-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkLabelName } from '../../validation/labels.ts'

/** Keys whose values are taken from the Pod's own labels when it is created. */
export interface LabelKeys {
  readonly matchLabelKeys?: readonly string[] | undefined
  readonly mismatchLabelKeys?: readonly string[] | undefined
  readonly labelSelector?: Frozen<LabelSelector> | undefined
}

/** `matchLabelKeys` and `mismatchLabelKeys`: valid, and not in conflict with each other or the selector. */
export function checkMatchLabelKeys(
  { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector }: LabelKeys,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!matchLabelKeys.length && !mismatchLabelKeys.length) return
  checkKeys(matchLabelKeys, labelSelector, at.child('matchLabelKeys'), errors)
  checkKeys(mismatchLabelKeys, labelSelector, at.child('mismatchLabelKeys'), errors)
  if (labelSelector) {
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}))
    for (const { key } of labelSelector.matchExpressions ?? []) {
      const index = matchLabelKeys.lastIndexOf(key)
      // The key's own requirement was added when the object was prepared: one that stood there before makes two.
      if (index >= 0 && seen.has(key))
        errors.invalid(at.index(index), key, 'exists in both matchLabelKeys and labelSelector')
      seen.add(key)
    }
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys.includes(key))
      errors.invalid(at.child('matchLabelKeys').index(i), key, 'exists in both matchLabelKeys and mismatchLabelKeys')
  })
}

function checkKeys(
  keys: readonly string[],
  selector: Frozen<LabelSelector> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!keys.length) return
  if (!selector) return errors.forbidden(at, 'must not be specified when labelSelector is not set')
  keys.forEach((key, i) => checkLabelName(key, at.index(i), errors))
}

/** The rule of releases that did not yet merge the keys into the selector: kept for objects that fail the newer one. */
export function checkLegacyMatchLabelKeys(
  { matchLabelKeys = [], labelSelector }: LabelKeys,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!matchLabelKeys.length) return
  if (!labelSelector) return errors.forbidden(at, 'must not be specified when labelSelector is not set')
  const selected = new Set([
    ...Object.keys(labelSelector.matchLabels ?? {}),
    ...(labelSelector.matchExpressions ?? []).map(({ key }) => key),
  ])
  matchLabelKeys.forEach((key, i) => {
    checkLabelName(key, at.index(i), errors)
    if (selected.has(key)) errors.invalid(at.index(i), key, 'exists in both matchLabelKeys and labelSelector')
  })
}

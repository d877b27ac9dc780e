import type { LabelSelector, LabelSelectorRequirement } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from './field.ts'
import { isLabelValue, isQualifiedName } from './names.ts'

type Texts = Readonly<Record<string, string>> | undefined

/** A label's key. */
export function checkLabelName(name: string, at: FieldPath, errors: FieldErrors): void {
  for (const text of isQualifiedName(name)) errors.invalid(at, name, text)
}

/** Labels: keys and values. */
export function checkLabels(labels: Texts, at: FieldPath, errors: FieldErrors): void {
  if (!labels) return
  for (const key in labels) {
    checkLabelName(key, at, errors)
    const value = labels[key] ?? ''
    for (const text of isLabelValue(value)) errors.invalid(at, value, text)
  }
}

/** Annotations: keys, and the size of all. */
export function checkAnnotations(annotations: Texts, at: FieldPath, errors: FieldErrors): void {
  if (!annotations) return
  let bytes = 0
  for (const key in annotations) {
    for (const text of isQualifiedName(key.toLowerCase())) errors.invalid(at, key, text)
    // A UTF-16 unit is at most three bytes: short values need no counting.
    const value = annotations[key] ?? ''
    bytes += 3 * (key.length + value.length)
  }
  if (bytes > annotationBytesMax && sizeOf(annotations) > annotationBytesMax) errors.tooLong(at, annotationBytesMax)
}

const annotationBytesMax = 256 * 1024
const sizeOf = (texts: Record<string, string>) =>
  Object.entries(texts).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

/** How strictly a label selector is checked. */
export interface SelectorOptions {
  /** Values that no label can have: kept where an old object has them. */
  readonly anyValue?: boolean
  /** Access reviews take operators of the future. */
  readonly anyOperator?: boolean
}

/** Whether a selector has values that no label can have. */
export const hasInvalidValues = (selector: Frozen<LabelSelector> | undefined): boolean =>
  selector?.matchExpressions?.some(({ values }) => values?.some((value) => isLabelValue(value).length > 0)) ?? false

/** A label selector; absent is fine. */
export function checkLabelSelector(
  selector: Frozen<LabelSelector> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  options: SelectorOptions = {},
): void {
  if (!selector) return
  if (selector.matchLabels) checkLabels(selector.matchLabels, at.child('matchLabels'), errors)
  selector.matchExpressions?.forEach((requirement, i) =>
    checkRequirement(requirement, at.child('matchExpressions').index(i), errors, options),
  )
}

/** One `matchExpressions` entry. */
export function checkRequirement(
  { key, operator, values = [] }: Frozen<LabelSelectorRequirement>,
  at: FieldPath,
  errors: FieldErrors,
  options: SelectorOptions,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else if (!options.anyOperator) errors.invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')
  checkLabelName(key ?? '', at.child('key'), errors)
  if (options.anyValue) return
  values.forEach((value, i) => {
    for (const text of isLabelValue(value)) errors.invalid(at.child('values').index(i), value, text)
  })
}

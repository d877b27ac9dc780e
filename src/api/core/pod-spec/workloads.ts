import type { PodTemplateSpec } from '../../generated/types/core-v1.ts'
import type { LabelSelector } from '../../generated/types/meta-v1.ts'
import type { Frozen } from '../../resource.ts'
import { matcherOf, type LabelMatcher } from '../../selector/label.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { selectsAll } from '../../selector/label-selector.ts'
import { checkLabelSelector } from '../../validation/labels.ts'
import { isLabel } from '../../validation/names.ts'

/** What workload kinds have in common: a selector that matches their template, and Pods that run for ever. */

type Selector = Frozen<LabelSelector> | undefined

/** The matcher of a selector; undefined when the selector is invalid, which others tell of. */
export function validMatcher(selector: Selector): LabelMatcher | undefined {
  try {
    return matcherOf(selector)
  } catch {
    return undefined
  }
}

/** A selector that there must be and that must select something. */
export function checkRequiredSelector(selector: Selector, at: FieldPath, errors: FieldErrors, emptyText: string): void {
  if (!selector) return errors.required(at)
  checkLabelSelector(selector, at, errors)
  if (selectsAll(selector)) errors.invalid(at, selector, emptyText)
}

/** The template's labels must be what the selector selects. */
export function checkTemplateLabels(
  matcher: LabelMatcher,
  template: Frozen<PodTemplateSpec> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const labels = template?.metadata?.labels
  if (!matcher.everything && !matcher.matches(labels ?? {}))
    errors.invalid(at.child('metadata', 'labels'), labels, '`selector` does not match template `labels`')
}

/** Pods that are restarted whenever they end. */
export function checkRunsForEver(
  template: Frozen<PodTemplateSpec> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  kind: string,
): void {
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {}
  if (restartPolicy !== 'Always')
    errors.notSupported(at.child('spec', 'restartPolicy'), restartPolicy ?? '', ['Always'])
  if (activeDeadlineSeconds !== undefined)
    errors.forbidden(at.child('spec', 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${kind} is not Supported`)
}

/** Names become parts of host names. */
export function hostnameWarnings(name: string | undefined): string[] {
  const wrong = isLabel(name ?? '')
  return wrong.length
    ? [
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(' ')}]`,
      ]
    : []
}

import type { PodSpec, PodTemplateSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkAnnotations, checkLabels } from '../../validation/labels.ts'
import { checkAnnotationsMatchFields, checkPodAnnotations } from './annotations.ts'
import { rulesOfUpdate } from './rules.ts'
import { checkPodSpec } from './spec.ts'

const noContainers: Frozen<PodSpec> = { containers: [] }

/** A template of Pods in a workload kind. What the `old` template gets away with stays allowed. */
export function checkPodTemplate(
  template: Frozen<PodTemplateSpec> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  old?: Frozen<PodTemplateSpec>,
): void {
  const { metadata, spec = noContainers } = template ?? {}
  const rules = rulesOfUpdate({ isPod: false }, old?.spec, old?.metadata?.annotations)
  const specAt = at.child('spec')
  checkLabels(metadata?.labels, at.child('labels'), errors)
  checkAnnotations(metadata?.annotations, at.child('annotations'), errors)
  checkPodAnnotations(template ?? {}, at.child('annotations'), errors, rules)
  checkPodSpec(spec, specAt, errors, rules)
  checkAnnotationsMatchFields(metadata?.annotations, spec, specAt, errors)
  if (spec.ephemeralContainers?.length)
    errors.forbidden(specAt.child('ephemeralContainers'), 'ephemeral containers not allowed in pod template')
}

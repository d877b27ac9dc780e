import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkLabelName, checkLabelSelector } from '../../validation/labels.ts'
import { isLabel, isLabelValue, isSubdomain } from '../../validation/names.ts'
import { checkMatchLabelKeys } from './label-keys.ts'
import type { PodRules } from './rules.ts'

/** Affinity to nodes and to and against other Pods. */
export function checkAffinity(
  affinity: Frozen<Affinity> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  if (!affinity) return
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  if (nodeAffinity) {
    const path = at.child('nodeAffinity')
    if (nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution) {
      checkNodeSelector(
        nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution,
        path.child('requiredDuringSchedulingIgnoredDuringExecution'),
        errors,
        rules.anyRequiredNodeAffinityValue,
      )
    }
    nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, i) => {
      const term = path.child('preferredDuringSchedulingIgnoredDuringExecution').index(i)
      checkWeight(weight, term, errors)
      // A value that no label has only means that the preference is never met.
      checkNodeSelectorTerm(preference ?? {}, term.child('preference'), errors, true)
    })
  }
  if (podAffinity) checkPodAffinity(podAffinity, at.child('podAffinity'), errors, rules)
  if (podAntiAffinity) checkPodAffinity(podAntiAffinity, at.child('podAntiAffinity'), errors, rules)
}

function checkWeight(weight: number | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!weight || weight < 0 || weight > 100)
    errors.invalid(at.child('weight'), weight ?? 0, 'must be in the range 1-100')
}

function checkPodAffinity(
  affinity: Frozen<PodAffinity | PodAntiAffinity>,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  affinity.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) =>
    checkPodTerm(term, at.child('requiredDuringSchedulingIgnoredDuringExecution').index(i), errors, rules),
  )
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, i) => {
    const path = at.child('preferredDuringSchedulingIgnoredDuringExecution').index(i)
    checkWeight(weight, path, errors)
    checkPodTerm(podAffinityTerm ?? { topologyKey: '' }, path.child('podAffinityTerm'), errors, rules)
  })
}

function checkPodTerm(
  term: Frozen<PodAffinityTerm>,
  at: FieldPath,
  errors: FieldErrors,
  { anySelectorValue }: PodRules,
): void {
  const options = anySelectorValue ? { anyValue: true } : {}
  checkLabelSelector(term.labelSelector, at.child('labelSelector'), errors, options)
  checkLabelSelector(term.namespaceSelector, at.child('namespaceSelector'), errors, options)
  for (const namespace of term.namespaces ?? [])
    for (const text of isLabel(namespace)) errors.invalid(at.child('namespace'), namespace, text)
  checkMatchLabelKeys(term, at, errors)
  if (!term.topologyKey) errors.required(at.child('topologyKey'), 'can not be empty')
  checkLabelName(term.topologyKey ?? '', at.child('topologyKey'), errors)
}

/** Terms of which a node must meet one. */
export function checkNodeSelector(
  selector: Frozen<NodeSelector>,
  at: FieldPath,
  errors: FieldErrors,
  anyValue = false,
): void {
  const path = at.child('nodeSelectorTerms')
  if (!selector.nodeSelectorTerms?.length) return errors.required(path, 'must have at least one node selector term')
  selector.nodeSelectorTerms.forEach((term, i) => checkNodeSelectorTerm(term, path.index(i), errors, anyValue))
}

/** Requirements of labels and fields that a node must all meet. */
export function checkNodeSelectorTerm(
  term: Frozen<NodeSelectorTerm>,
  at: FieldPath,
  errors: FieldErrors,
  anyValue: boolean,
): void {
  term.matchExpressions?.forEach((requirement, i) =>
    checkNodeLabel(requirement, at.child('matchExpressions').index(i), errors, anyValue),
  )
  term.matchFields?.forEach((requirement, i) => checkNodeField(requirement, at.child('matchFields').index(i), errors))
}

function checkNodeLabel(
  { key, operator, values = [] }: Frozen<NodeSelectorRequirement>,
  at: FieldPath,
  errors: FieldErrors,
  anyValue: boolean,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (!values.length) errors.required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length)
      errors.forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.required(at.child('values'), "must be specified single value when `operator` is 'Lt' or 'Gt'")
  } else errors.invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')
  checkLabelName(key ?? '', at.child('key'), errors)
  if (anyValue) return
  values.forEach((value, i) => {
    for (const text of isLabelValue(value)) errors.invalid(at.child('values').index(i), value, text)
  })
}

function checkNodeField(
  { key, operator, values = [] }: Frozen<NodeSelectorRequirement>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      errors.required(
        at.child('values'),
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      )
  } else errors.invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')
  if (key !== 'metadata.name') return errors.invalid(at.child('key'), key ?? '', 'not a valid field selector key')
  values.forEach((value, i) => {
    for (const text of isSubdomain(value)) errors.invalid(at.child('values').index(i), value, text)
  })
}

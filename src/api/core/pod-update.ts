import type { Affinity, Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath, nowhere } from '../validation/field.ts'
import { rangeText } from '../validation/names.ts'
import { checkAnnotationUpdates, checkPodAnnotations, mirrorAnnotation } from './pod-spec/annotations.ts'
import { checkImagePadding } from './pod-spec/containers.ts'
import type { PodRules } from './pod-spec/rules.ts'
import { checkOnlyAddedTolerations } from './pod-spec/tolerations.ts'

const secondsMax = 2 ** 31 - 1
const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

type Containers = Frozen<Container[]> | undefined

/** What of a Pod may change once it is there: images, deadlines, more tolerations, fewer gates. */
export function checkPodUpdate(pod: Frozen<Pod>, old: Frozen<Pod>, errors: FieldErrors, rules: PodRules): void {
  const at = field('spec')
  const spec = pod.spec ?? { containers: [] }
  const oldSpec = old.spec ?? { containers: [] }
  checkAnnotations(pod, old, errors, rules)
  if (!checkImages(spec.containers, oldSpec.containers, at.child('containers'), errors)) return
  if (!checkImages(spec.initContainers, oldSpec.initContainers, at.child('initContainers'), errors)) return
  if (
    !checkDeadline(spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds, at.child('activeDeadlineSeconds'), errors)
  )
    return
  checkOnlyAddedTolerations(spec.tolerations, oldSpec.tolerations, at.child('tolerations'), errors)
  const had = new Set(oldSpec.schedulingGates?.map(({ name }) => name))
  spec.schedulingGates?.forEach(({ name }, i) => {
    if (!had.has(name))
      errors.forbidden(
        at.child('schedulingGates').index(i).child('name'),
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      )
  })
  if (equal(spec, oldSpec)) return
  if (!equal(withoutChangeable(spec, oldSpec, at, errors), oldSpec))
    errors.forbidden(at, `pod updates may not change fields other than ${changeable}`)
}

/** Containers for debugging: more may come, none may go or change. */
export function checkEphemeralUpdate(pod: Frozen<Pod>, old: Frozen<Pod>, errors: FieldErrors, rules: PodRules): void {
  checkAnnotations(pod, old, errors, rules)
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    errors.list.length = 0
    return errors.forbidden(nowhere(), 'static pods do not support ephemeral containers')
  }
  const at = field('spec', 'ephemeralContainers')
  const now = new Map(pod.spec?.ephemeralContainers?.map((container) => [container.name, container]))
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const after = now.get(before.name)
    if (!after)
      errors.forbidden(at, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`)
    else if (!equal(before, after))
      errors.forbidden(at, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed`)
  }
}

function checkAnnotations(pod: Frozen<Pod>, old: Frozen<Pod>, errors: FieldErrors, rules: PodRules): void {
  const at = field('metadata', 'annotations')
  checkAnnotationUpdates(pod.metadata.annotations, old.metadata.annotations, at, errors)
  checkPodAnnotations(pod, at, errors, rules)
}

/** False: containers came or went, and nothing more can be compared. */
function checkImages(
  containers: Containers | null | undefined,
  old: Containers | null | undefined,
  at: FieldPath,
  errors: FieldErrors,
): boolean {
  if ((containers?.length ?? 0) !== (old?.length ?? 0)) {
    errors.forbidden(at, 'pod updates may not add or remove containers')
    return false
  }
  containers?.forEach((container, i) => {
    if (!container.image) errors.required(at.index(i).child('image'))
    checkImagePadding(container, at.index(i), errors)
  })
  return true
}

function checkDeadline(
  seconds: number | undefined,
  old: number | undefined,
  at: FieldPath,
  errors: FieldErrors,
): boolean {
  if (seconds === undefined) {
    if (old !== undefined) errors.invalid(at, null, 'must not update from a positive integer to nil value')
    return true
  }
  const outside = seconds < 0 || seconds > secondsMax
  const later = !outside && old !== undefined && old < seconds
  if (outside) errors.invalid(at, seconds, rangeText(0, secondsMax))
  if (later) errors.invalid(at, seconds, 'must be less than or equal to previous value')
  return !outside && !later
}

/** The new spec with what may change put back to what it was. */
function withoutChangeable(
  spec: Frozen<PodSpec>,
  old: Frozen<PodSpec>,
  at: FieldPath,
  errors: FieldErrors,
): Frozen<PodSpec> {
  const images = (containers: Containers, before: Containers): Containers =>
    containers?.map((container, i) => ({ ...container, image: before?.[i]?.image ?? '' }))
  const same: Record<string, unknown> = {
    ...spec,
    containers: images(spec.containers, old.containers),
    initContainers: images(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
  }
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    same['terminationGracePeriodSeconds'] = old.terminationGracePeriodSeconds
  if (old.schedulingGates?.length) {
    if (!equal(spec.nodeSelector, old.nodeSelector)) {
      const lost = Object.entries(old.nodeSelector ?? {}).some(([key, value]) => spec.nodeSelector?.[key] !== value)
      if (lost)
        errors.invalid(
          at.child('nodeSelector'),
          spec.nodeSelector,
          'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
        )
      same['nodeSelector'] = old.nodeSelector
    }
    if (!equal(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity)) {
      checkNodeAffinityChange(
        spec.affinity?.nodeAffinity,
        old.affinity?.nodeAffinity,
        at.child('affinity', 'nodeAffinity'),
        errors,
      )
      same['affinity'] = restoredAffinity(spec.affinity, old.affinity)
    }
  }
  return { containers: [], ...same }
}

function restoredAffinity(
  affinity: Frozen<Affinity> | undefined,
  old: Frozen<Affinity> | undefined,
): Frozen<Affinity> | undefined {
  if (!old && !affinity?.podAffinity && !affinity?.podAntiAffinity) return undefined
  const { nodeAffinity: _, ...rest } = affinity ?? {}
  return old?.nodeAffinity ? { ...rest, nodeAffinity: old.nodeAffinity } : rest
}

/** The node affinity of a Pod that is not scheduled yet: it may only be narrowed. */
export function checkNodeAffinityChange(
  affinity: Frozen<NodeAffinity> | undefined,
  old: Frozen<NodeAffinity> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (!before?.length) return
  const after = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const path = at.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms')
  if (before.length !== after.length)
    return errors.invalid(path, after, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')
  before.forEach((term, i) => {
    if (!onlyAdds(after[i] ?? {}, term))
      errors.invalid(path.index(i), after[i], 'only additions are allowed (no mutations or deletions)')
  })
}

function onlyAdds(term: Frozen<NodeSelectorTerm>, old: Frozen<NodeSelectorTerm>): boolean {
  const count = (one: Frozen<NodeSelectorTerm>) => (one.matchExpressions?.length ?? 0) + (one.matchFields?.length ?? 0)
  // An empty term matches nothing: filling it would widen.
  if (!count(old)) return !count(term)
  return (['matchExpressions', 'matchFields'] as const).every((name) =>
    equal((term[name] ?? []).slice(0, old[name]?.length ?? 0), old[name] ?? []),
  )
}

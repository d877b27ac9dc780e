import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '../generated/types/autoscaling-v2.ts'
import type { Frozen } from '../resource.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { checkBehavior } from './autoscaler-behavior.ts'
import { checkMetrics } from './metrics.ts'
import { checkReference, type VersionRule, versionProblem } from './scale-target.ts'

/** The CPU usage, in percent of what is requested, that an autoscaler without metrics aims at. */
export const defaultUtilization = 80

/** Annotations that carry what the first version has no fields for; never stored. */
export const roundTripAnnotations = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  scaleDownTolerance: 'autoscaling.alpha.kubernetes.io/scale-down-tolerance',
  scaleUpTolerance: 'autoscaling.alpha.kubernetes.io/scale-up-tolerance',
} as const

const carriers = Object.values(roundTripAnnotations)

/** Removes the annotations that only carry fields between versions. */
export function dropCarriers(metadata: { annotations?: { [key: string]: string } }): void {
  const { annotations } = metadata
  if (!annotations) return
  for (const key of carriers) delete annotations[key]
  if (Object.keys(annotations).length === 0) delete metadata.annotations
}

/** The rules of an autoscaler in the form in which it is stored. */
export function checkAutoscaler(
  { spec }: Frozen<HorizontalPodAutoscaler>,
  old: Frozen<HorizontalPodAutoscaler> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { minReplicas, maxReplicas = 0, scaleTargetRef: target, metrics, behavior } = spec
  const least = old?.spec.minReplicas === 0 ? 0 : 1
  if (minReplicas !== undefined && minReplicas < least)
    errors.invalid(at.child('minReplicas'), minReplicas, `must be greater than or equal to ${least}`)
  if (maxReplicas < 1) errors.invalid(at.child('maxReplicas'), maxReplicas, 'must be greater than 0')
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.invalid(at.child('maxReplicas'), maxReplicas, 'must be greater than or equal to `minReplicas`')
  checkReference(target, at.child('scaleTargetRef'), errors, targetRule(spec, old))
  checkMetrics(metrics ?? [], at.child('metrics'), errors, { minReplicas, versions: metricsRule(old) })
  if (behavior) checkBehavior(behavior, at.child('behavior'), errors)
}

/** A version that stays is not checked; replication controllers have no group. */
function targetRule(
  { scaleTargetRef: target }: Frozen<HorizontalPodAutoscaler['spec']>,
  old: Frozen<HorizontalPodAutoscaler> | undefined,
): VersionRule {
  const before = old?.spec.scaleTargetRef
  if (before && before.apiVersion === target?.apiVersion && before.kind === target?.kind) return { any: true }
  return { emptyGroup: target?.kind === 'ReplicationController' }
}

function metricsRule(old: Frozen<HorizontalPodAutoscaler> | undefined): VersionRule {
  const rule = { emptyGroup: true }
  const wasWrong = old?.spec.metrics?.some(
    ({ type, object }) => type === 'Object' && object && versionProblem(object.describedObject, rule),
  )
  return wasWrong ? { any: true } : rule
}

/** The rules of a new status. */
export function checkAutoscalerStatus(
  status: Frozen<HorizontalPodAutoscalerStatus> | undefined,
  errors: FieldErrors,
): void {
  checkNotNegative(status, ['currentReplicas', 'desiredReplicas'], field('status'), errors)
}
